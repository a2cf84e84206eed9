package io.deltabox.store.rocksdb;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Walks over the entries of a part of a segment. */
final class EntryReader {
  /** Enough for many small entries, and not much beside a head whose body is not looked at. */
  static final int HEADS = 4 << 10;

  /** For who looks at every body. */
  static final int BODIES = 1 << 20;

  private final Segments segments;
  private final Place to;
  private final ByteBuffer window;
  private Place at;
  private long windowAt;

  /**
   * @param ahead how much is read at once
   */
  EntryReader(Segments segments, Place from, long to, int ahead) {
    this.segments = segments;
    this.at = from;
    this.to = new Place(from.segment(), to);
    this.window = ByteBuffer.allocate(ahead).limit(0);
  }

  /** Moves on; null at the end, or where no whole entry is. */
  @Nullable Entry next() throws IOException {
    if (at.compareTo(to) >= 0) {
      return null;
    }
    Entry entry = Entry.read(bytes(at.offset(), Entry.HEAD_BYTES));
    if (entry == null || !entry.place().equals(at) || entry.end().compareTo(to) > 0) {
      return null;
    }
    at = entry.end();
    return entry;
  }

  /** Where the next one begins. */
  Place at() {
    return at;
  }

  /** True if all was read: not so where something broken stands. */
  boolean atEnd() {
    return at.equals(to);
  }

  /** The body of the entry that came last, valid until the next; null if it is not what it was. */
  @Nullable ByteBuffer body(Entry entry) throws IOException {
    ByteBuffer body = bytes(entry.place().offset() + Entry.HEAD_BYTES, entry.bytes());
    return body.remaining() == entry.bytes() && Entry.crc(body) == entry.bodyCrc() ? body : null;
  }

  private ByteBuffer bytes(long offset, int length) throws IOException {
    if (length > window.capacity()) {
      return segments.read(at.segment(), ByteBuffer.allocate(length), offset);
    }
    if (offset < windowAt || offset + length > windowAt + window.limit()) {
      windowAt = offset;
      segments.read(at.segment(), window.clear(), offset);
    }
    int from = (int) (offset - windowAt);
    return window.slice(from, Math.min(length, window.limit() - from));
  }
}
