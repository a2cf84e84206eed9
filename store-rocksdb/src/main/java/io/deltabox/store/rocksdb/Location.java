package io.deltabox.store.rocksdb;

import java.nio.ByteBuffer;

/**
 * Where the log holds a chunk.
 *
 * @param place where its entry begins
 * @param bytes length of the stored form
 */
record Location(Place place, int bytes) {
  private static final int BYTES = Long.BYTES + Integer.BYTES;

  static Location of(byte[] value) {
    ByteBuffer buffer = ByteBuffer.wrap(value);
    return new Location(Place.of(buffer.getLong()), buffer.getInt());
  }

  byte[] toArray() {
    return ByteBuffer.allocate(BYTES).putLong(place.number()).putInt(bytes).array();
  }

  /** Room that its entry takes. */
  long entryBytes() {
    return Entry.HEAD_BYTES + (long) bytes;
  }

  /** Where the entry ends. */
  Place end() {
    return place.plus(entryBytes());
  }
}
