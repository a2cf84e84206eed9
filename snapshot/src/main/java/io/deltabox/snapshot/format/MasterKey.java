package io.deltabox.snapshot.format;

import java.security.MessageDigest;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/** The 256 random bits that all keys of a domain are derived from. Never printed. */
public final class MasterKey {
  static final int BYTES = 32;

  private final byte[] bytes;

  private MasterKey(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * The key of given bytes, which are copied.
   *
   * @throws IllegalArgumentException if they are not 32
   */
  public static MasterKey of(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException("not a master key: bytes=" + bytes.length);
    }
    return new MasterKey(bytes.clone());
  }

  /** A new key. */
  public static MasterKey random(SecureRandom random) {
    byte[] bytes = new byte[BYTES];
    random.nextBytes(bytes);
    return new MasterKey(bytes);
  }

  /** A copy. */
  byte[] toArray() {
    return bytes.clone();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof MasterKey that && MessageDigest.isEqual(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return 31;
  }

  @Override
  public String toString() {
    return "MasterKey[...]";
  }
}
