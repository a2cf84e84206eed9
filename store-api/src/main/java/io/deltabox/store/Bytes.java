package io.deltabox.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** An immutable string of bytes, ordered as unsigned bytes. Keys and values of records are such. */
public final class Bytes implements Comparable<Bytes> {
  public static final Bytes EMPTY = new Bytes(new byte[0]);

  private final byte[] bytes;

  private Bytes(byte[] bytes) {
    this.bytes = bytes;
  }

  /** A copy of an array. */
  public static Bytes of(byte[] bytes) {
    return bytes.length == 0 ? EMPTY : new Bytes(bytes.clone());
  }

  /** A copy of what remains in a buffer, whose position stays. */
  public static Bytes of(ByteBuffer buffer) {
    byte[] copy = new byte[buffer.remaining()];
    buffer.duplicate().get(copy);
    return new Bytes(copy);
  }

  /** The UTF-8 form of a text. */
  public static Bytes of(String text) {
    return new Bytes(text.getBytes(UTF_8));
  }

  public int length() {
    return bytes.length;
  }

  /** A view that cannot be written. */
  public ByteBuffer buffer() {
    return ByteBuffer.wrap(bytes).asReadOnlyBuffer();
  }

  /** A copy. */
  public byte[] toArray() {
    return bytes.clone();
  }

  /** The text whose UTF-8 form this is; malformed input is replaced. */
  public String text() {
    return new String(bytes, UTF_8);
  }

  public boolean startsWith(Bytes prefix) {
    int length = prefix.bytes.length;
    return bytes.length >= length && Arrays.equals(bytes, 0, length, prefix.bytes, 0, length);
  }

  /** The least string that is greater than everything that starts with this; null if none is. */
  public @Nullable Bytes afterPrefix() {
    for (int i = bytes.length - 1; i >= 0; i--) {
      if (bytes[i] != (byte) 0xff) {
        byte[] next = Arrays.copyOf(bytes, i + 1);
        next[i]++;
        return new Bytes(next);
      }
    }
    return null;
  }

  @Override
  public int compareTo(Bytes other) {
    return Arrays.compareUnsigned(bytes, other.bytes);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Bytes that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /** Hexadecimal, cut after 32 bytes. */
  @Override
  public String toString() {
    HexFormat hex = HexFormat.of();
    return bytes.length <= 32
        ? hex.formatHex(bytes)
        : hex.formatHex(bytes, 0, 32) + "...(" + bytes.length + ")";
  }
}
