package io.deltabox.snapshot.format;

import java.nio.ByteBuffer;
import java.util.HexFormat;

/**
 * Names a domain, the key space chunks are shared in. Derived from its master key, so it also tells
 * whether a key is the right one; it is no secret.
 *
 * @param high the first 64 bits, big-endian
 * @param low the others
 */
public record DomainId(long high, long low) {
  public static final int BYTES = 16;

  static DomainId read(ByteBuffer from) {
    ByteBuffer big = from.duplicate();
    from.position(from.position() + BYTES);
    return new DomainId(big.getLong(), big.getLong());
  }

  void write(ByteBuffer to) {
    to.duplicate().putLong(high).putLong(low);
    to.position(to.position() + BYTES);
  }

  /** 32 hexadecimal digits. */
  @Override
  public String toString() {
    return HexFormat.of().toHexDigits(high) + HexFormat.of().toHexDigits(low);
  }
}
