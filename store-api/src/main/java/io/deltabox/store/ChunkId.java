package io.deltabox.store;

import java.nio.ByteBuffer;
import java.util.HexFormat;

/**
 * Names a chunk by its content: 256 bits that whoever writes chunks derives from their plain bytes.
 * A store compares and orders ids, as unsigned big-endian numbers, and never computes them.
 *
 * @param first the most significant 64 bits
 * @param second the next
 * @param third the next
 * @param fourth the least significant 64 bits
 */
public record ChunkId(long first, long second, long third, long fourth)
    implements Comparable<ChunkId> {
  /** Length of the binary form. */
  public static final int BYTES = 32;

  /** Reads the binary form at the buffer's position and moves the position behind it. */
  public static ChunkId read(ByteBuffer from) {
    ByteBuffer big = from.duplicate();
    ChunkId id = new ChunkId(big.getLong(), big.getLong(), big.getLong(), big.getLong());
    from.position(from.position() + BYTES);
    return id;
  }

  /**
   * Reads 64 hexadecimal digits.
   *
   * @throws IllegalArgumentException if the text is not such
   */
  public static ChunkId parse(String hex) {
    if (hex.length() != 2 * BYTES) {
      throw new IllegalArgumentException("not a chunk id: " + hex);
    }
    return read(ByteBuffer.wrap(HexFormat.of().parseHex(hex)));
  }

  /** Writes the binary form at the buffer's position. */
  public void write(ByteBuffer to) {
    ByteBuffer big = to.duplicate();
    big.putLong(first).putLong(second).putLong(third).putLong(fourth);
    to.position(to.position() + BYTES);
  }

  /** The binary form. */
  public byte[] toArray() {
    ByteBuffer buffer = ByteBuffer.allocate(BYTES);
    write(buffer);
    return buffer.array();
  }

  @Override
  public int compareTo(ChunkId other) {
    int order = Long.compareUnsigned(first, other.first);
    order = order != 0 ? order : Long.compareUnsigned(second, other.second);
    order = order != 0 ? order : Long.compareUnsigned(third, other.third);
    return order != 0 ? order : Long.compareUnsigned(fourth, other.fourth);
  }

  /** 64 hexadecimal digits. */
  @Override
  public String toString() {
    return HexFormat.of().formatHex(toArray());
  }
}
