package io.deltabox.store.rocksdb;

import java.nio.ByteBuffer;

/**
 * How far something has come.
 *
 * @param number of the newest commit; 0 for none
 * @param end where the log ended
 */
record Mark(long number, Place end) {
  /** Of a store in which nothing has happened. */
  static final Mark NONE = new Mark(0, Place.START);

  private static final int BYTES = 2 * Long.BYTES;

  static Mark of(byte[] value) {
    ByteBuffer buffer = ByteBuffer.wrap(value);
    return new Mark(buffer.getLong(), Place.of(buffer.getLong()));
  }

  byte[] toArray() {
    return ByteBuffer.allocate(BYTES).putLong(number).putLong(end.number()).array();
  }
}
