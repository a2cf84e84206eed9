package io.deltabox.store.rocksdb;

/**
 * Where something begins, or ends, in the log.
 *
 * @param segment the number of the file; 0 stands before the first one
 * @param offset in the file, below 4 GiB
 */
record Place(int segment, long offset) implements Comparable<Place> {
  /** Before everything. */
  static final Place START = new Place(0, 0);

  Place {
    if (segment < 0 || offset < 0 || offset >>> 32 != 0) {
      throw new IllegalArgumentException("no place: segment=" + segment + " offset=" + offset);
    }
  }

  /** The stored form, which orders as places do. */
  long number() {
    return (long) segment << 32 | offset;
  }

  static Place of(long number) {
    return new Place((int) (number >>> 32), number & 0xffff_ffffL);
  }

  Place plus(long bytes) {
    return new Place(segment, offset + bytes);
  }

  @Override
  public int compareTo(Place other) {
    return Long.compare(number(), other.number());
  }

  @Override
  public String toString() {
    return Segments.name(segment) + " at=" + offset;
  }
}
