package io.deltabox.store.rocksdb;

import io.deltabox.store.ChunkId;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/**
 * Brings the index up to the end of the log when a store is opened, and finds that end: the first
 * place at which no whole entry stands. What is broken before the place that is known to have been
 * durable is damage; behind it, a write that the crash tore, which is cut off with all that
 * follows.
 */
final class Replay {
  private final Segments segments;
  private final Index index;
  private final Mark promised;
  private long number;

  /**
   * @param promised what was durable
   */
  Replay(Segments segments, Index index, Mark promised) {
    this.segments = segments;
    this.index = index;
    this.promised = promised;
  }

  Mark run(RocksDB database) throws RocksDBException, StoreException {
    try {
      Mark from = index.mark(database);
      requireBefore(from.end().segment());
      number = from.number();
      Place end = walk(database, from.end());
      requireTorn(end);
      return new Mark(number, end);
    } catch (IOException e) {
      throw Failures.of("read log failed: directory=" + segments, e);
    }
  }

  /** Segments that are not read now are there in their full length. */
  private void requireBefore(int first) throws IOException {
    for (var room : index.rooms().headMap(first).entrySet()) {
      long size = segments.size(room.getKey());
      if (size < room.getValue().end()) {
        throw new StoreCorruptException(
            "segment is cut: file="
                + segments.path(room.getKey())
                + " bytes="
                + size
                + " expected="
                + room.getValue().end());
      }
    }
  }

  private Place walk(RocksDB database, Place from)
      throws IOException, RocksDBException, StoreException {
    Place at = from;
    for (; ; ) {
      int segment = at.segment();
      SegmentHead next = segments.head(segment + 1);
      long size = segment == 0 ? 0 : segments.size(segment);
      long to = next == null ? size : next.previousEnd();
      Place end = segment == 0 ? at : entries(database, at, Math.max(to, at.offset()));
      if (next == null || end.offset() != to) {
        return end;
      }
      try (Index.Update update = index.update()) {
        update.ended(segment, to);
        at = new Place(segment + 1, SegmentHead.BYTES);
        update.apply(database, new Mark(number, at));
      }
    }
  }

  /** Bodies of chunks are looked at only where it is not known that they were durable. */
  private Place entries(RocksDB database, Place from, long to)
      throws IOException, RocksDBException, StoreException {
    EntryReader reader = new EntryReader(segments, from, to, EntryReader.HEADS);
    Place end = from;
    for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
      boolean known = entry.end().compareTo(promised.end()) <= 0;
      ByteBuffer body = entry.holdsChunk() && known ? null : reader.body(entry);
      if (body == null && !(entry.holdsChunk() && known)) {
        return end;
      }
      apply(database, entry, body);
      end = entry.end();
    }
    return end;
  }

  private void apply(RocksDB database, Entry entry, @Nullable ByteBuffer body)
      throws RocksDBException, StoreException {
    try (Index.Update update = index.update()) {
      switch (entry.kind()) {
        case CHUNK -> update.put(entry.id(), entry.location(), location(database, entry.id()));
        case MOVED -> moved(update, entry, location(database, entry.id()));
        case DELETE -> {
          for (ChunkId id : ids(body)) {
            Location old = location(database, id);
            if (old != null) {
              update.remove(id, old);
            }
          }
        }
        case COMMIT -> {
          update.change(changes(entry, body));
          number = entry.argument();
        }
      }
      update.apply(database, new Mark(number, entry.end()));
    }
  }

  private @Nullable Location location(RocksDB database, ChunkId id) throws StoreException {
    return index.locations(database, List.of(id)).get(0);
  }

  private static void moved(Index.Update update, Entry entry, @Nullable Location old)
      throws RocksDBException {
    if (old != null && old.place().number() == entry.argument()) {
      update.put(entry.id(), entry.location(), old);
    }
  }

  private static List<ChunkId> ids(@Nullable ByteBuffer body) {
    List<ChunkId> ids = new ArrayList<>();
    while (body != null && body.remaining() >= ChunkId.BYTES) {
      ids.add(ChunkId.read(body));
    }
    return ids;
  }

  private List<RecordBatch.Change> changes(Entry entry, @Nullable ByteBuffer body)
      throws StoreException {
    List<RecordBatch.Change> changes = body == null ? null : CommitForm.decode(body);
    if (changes == null || entry.argument() != number + 1) {
      throw new StoreCorruptException(
          "commit in the log cannot be read: " + entry.place() + " number=" + entry.argument());
    }
    return changes;
  }

  private void requireTorn(Place end) throws IOException {
    if (end.compareTo(promised.end()) < 0 || number < promised.number()) {
      throw damaged(end, "what was durable is gone, up to " + promised.end());
    }
    for (int segment : segments.numbers().tailSet(Math.max(1, end.segment()))) {
      long from = segment == end.segment() ? end.offset() : 0;
      Entry proof = proof(segment, from, end);
      if (proof != null) {
        throw damaged(end, "it was durable when what follows was written, at " + proof.place());
      }
    }
  }

  /** An entry that was written when more than that was durable. */
  private @Nullable Entry proof(int segment, long from, Place end) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(EntryReader.BODIES);
    long size = segments.size(segment);
    for (long at = from; at + Entry.HEAD_BYTES <= size; ) {
      segments.read(segment, bytes.clear(), at);
      for (int i = 0; i + Entry.HEAD_BYTES <= bytes.limit(); i++) {
        if (bytes.get(i) == (byte) Entry.MAGIC) {
          Entry found = Entry.read(bytes.position(i));
          if (found != null
              && found.place().equals(new Place(segment, at + i))
              && found.durable().compareTo(end) > 0) {
            return found;
          }
        }
      }
      at += bytes.limit() - Entry.HEAD_BYTES + 1;
    }
    return null;
  }

  private StoreCorruptException damaged(Place end, String reason) {
    return new StoreCorruptException(
        "commits that were durable are gone, as the log is damaged: directory="
            + segments
            + " segment="
            + end
            + " reason="
            + reason);
  }

  /** Removes what does not count. */
  static void cut(Segments segments, Index index, Place end) throws IOException {
    NavigableSet<Integer> numbers = segments.numbers();
    for (int number : numbers.descendingSet().headSet(end.segment())) {
      segments.remove(number);
    }
    for (int number : numbers.headSet(end.segment())) {
      if (!index.rooms().containsKey(number)) {
        segments.remove(number);
      }
    }
    if (end.segment() > 0 && segments.size(end.segment()) > end.offset()) {
      segments.cut(end.segment(), end.offset());
      segments.force(end.segment());
    }
    segments.forceNames();
  }
}
