package io.deltabox.store.rocksdb;

import io.deltabox.store.ChunkId;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Entries that will be appended together. Bodies are copied and summed here, outside of every lock;
 * heads follow when the place is known.
 */
final class Staging {
  /** Groups are appended when they are that long. */
  static final int GROUP_BYTES = 1 << 20;

  private static final Place UNKNOWN = Place.START;

  private final ByteBuffer buffer;
  private final List<Entry> entries = new ArrayList<>();

  /**
   * @param buffer empty; used until the entries are appended
   */
  Staging(ByteBuffer buffer) {
    this.buffer = buffer;
  }

  /** For one entry of any length. */
  static Staging one(Entry.Kind kind, long argument, ByteBuffer body) {
    Staging one = new Staging(ByteBuffer.allocate(Entry.HEAD_BYTES + body.remaining()));
    one.add(kind, Entry.NO_ID, argument, body);
    return one;
  }

  void add(Entry.Kind kind, ChunkId id, long argument, ByteBuffer body) {
    ByteBuffer bytes = body.duplicate();
    int crc = Entry.crc(bytes);
    entries.add(new Entry(kind, bytes.remaining(), crc, UNKNOWN, UNKNOWN, id, argument));
    buffer.position(buffer.position() + Entry.HEAD_BYTES).put(bytes);
  }

  boolean full() {
    return buffer.position() >= GROUP_BYTES;
  }

  boolean isEmpty() {
    return entries.isEmpty();
  }

  int bytes() {
    return buffer.position();
  }

  /** Gives them their places. */
  void place(Place first, Place durable) {
    ByteBuffer heads = buffer.duplicate().position(0);
    Place place = first;
    for (int i = 0; i < entries.size(); i++) {
      Entry old = entries.get(i);
      Entry placed =
          new Entry(
              old.kind(), old.bytes(), old.bodyCrc(), place, durable, old.id(), old.argument());
      entries.set(i, placed);
      placed.write(heads);
      heads.position(heads.position() + placed.bytes());
      place = placed.end();
    }
  }

  /** After {@link #place}. */
  List<Entry> entries() {
    return entries;
  }

  /** After {@link #place}: what is to be written. */
  ByteBuffer content() {
    return buffer.duplicate().flip();
  }
}
