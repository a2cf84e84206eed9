package io.deltabox.store.rocksdb;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The first bytes of a segment.
 *
 * <pre>
 * segment = magic:u32 version:u32 number:u64 end of the one before:u64 crc32c(before):u32 zero:u32
 *           entry*                                                                 little-endian
 * </pre>
 *
 * @param number of the segment
 * @param previousEnd length of the segment before it, which was full then
 */
record SegmentHead(int number, long previousEnd) {
  static final int BYTES = 32;

  private static final int MAGIC = 0x4753_4244;
  private static final int VERSION = 1;
  private static final int CRC_AT = 24;

  ByteBuffer toBuffer() {
    ByteBuffer head = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    head.putInt(MAGIC).putInt(VERSION).putLong(number).putLong(previousEnd);
    head.putInt(Entry.crc(head.slice(0, CRC_AT))).putInt(0);
    return head.flip();
  }

  /** Null if that is no head of a segment of this number. */
  static @Nullable SegmentHead read(ByteBuffer from, int number) {
    if (from.remaining() < BYTES) {
      return null;
    }
    ByteBuffer head = from.slice(from.position(), BYTES).order(ByteOrder.LITTLE_ENDIAN);
    if (head.getInt(0) != MAGIC
        || head.getInt(4) != VERSION
        || head.getLong(8) != number
        || head.getInt(CRC_AT) != Entry.crc(head.slice(0, CRC_AT))) {
      return null;
    }
    return new SegmentHead(number, head.getLong(16));
  }
}
