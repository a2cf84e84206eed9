package io.deltabox.store.rocksdb;

import io.deltabox.store.ChunkId;
import io.deltabox.store.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.rocksdb.FlushOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/**
 * Gives room back: copies what is left of a segment to the end of the log, a group at a time, and
 * removes the segment when the index on the disk no longer needs it. At each moment a crash finds
 * every chunk where the index says, in the old segment or the new one.
 */
final class Rewriter {
  private final Handles handles;
  private final Segments segments;
  private final Index index;
  private final Changes changes;
  private final Buffers buffers;

  /** Held while segments must stay. */
  private final Object removing;

  Rewriter(
      Handles handles,
      Segments segments,
      Index index,
      Changes changes,
      Buffers buffers,
      Object removing) {
    this.handles = handles;
    this.segments = segments;
    this.index = index;
    this.changes = changes;
    this.buffers = buffers;
    this.removing = removing;
  }

  /** The full segment with the most dead bytes, if that is at least half of it. */
  @Nullable Integer candidate(Set<Integer> without) {
    NavigableMap<Integer, Index.Room> rooms = index.rooms();
    Integer best = null;
    long most = 0;
    for (Map.Entry<Integer, Index.Room> one : rooms.entrySet()) {
      Index.Room room = one.getValue();
      long dead = room.end() - room.live();
      if (room.end() > 0
          && 2 * room.live() <= room.end()
          && dead > most
          && !without.contains(one.getKey())) {
        best = one.getKey();
        most = dead;
      }
    }
    return best;
  }

  /**
   * @return false if something in it is broken, so that it must stay
   */
  boolean rewrite(int segment) throws StoreException {
    synchronized (removing) {
      Index.Room room = index.rooms().get(segment);
      if (room == null) {
        return true;
      }
      if (room.live() > 0 && !copy(segment, room.end())) {
        return false;
      }
      Index.Room after = index.rooms().get(segment);
      if (after == null || after.live() != 0) {
        return false;
      }
      return remove(segment);
    }
  }

  private boolean copy(int segment, long end) throws StoreException {
    EntryReader reader =
        new EntryReader(segments, new Place(segment, SegmentHead.BYTES), end, EntryReader.BODIES);
    while (!reader.atEnd()) {
      boolean sound =
          handles.change(
              () -> "rewrite segment failed: file=" + segments.path(segment),
              database -> group(database, reader));
      if (!sound) {
        return false;
      }
    }
    return true;
  }

  private boolean group(RocksDB database, EntryReader reader)
      throws RocksDBException, StoreException {
    ByteBuffer buffer = buffers.take();
    try {
      Staging staging = new Staging(buffer);
      while (!staging.full() && !reader.atEnd()) {
        Entry entry = reader.next();
        if (entry == null) {
          return false;
        }
        if (entry.holdsChunk() && lies(database, entry)) {
          ByteBuffer body = reader.body(entry);
          if (body == null) {
            return false;
          }
          staging.add(Entry.Kind.MOVED, entry.id(), entry.place().number(), body);
        }
      }
      if (!staging.isEmpty()) {
        changes.move(database, staging);
      }
      return true;
    } catch (IOException e) {
      throw Failures.of("read segment failed", e);
    } finally {
      buffers.give(buffer);
    }
  }

  private boolean lies(RocksDB database, Entry entry) throws StoreException {
    List<ChunkId> id = new ArrayList<>(List.of(entry.id()));
    Location location = index.locations(database, id).get(0);
    return location != null && location.place().equals(entry.place());
  }

  /** The index on the disk forgets it first, and knows by then where its chunks have gone. */
  private boolean remove(int segment) throws StoreException {
    return handles.change(
        () -> "remove segment failed: file=" + segments.path(segment),
        database -> {
          changes.forget(database, segment);
          try (FlushOptions options =
              new FlushOptions().setWaitForFlush(true).setAllowWriteStall(true)) {
            database.flush(options, handles.allFamilies());
          }
          if (index.persisted(database).end().segment() <= segment) {
            return false;
          }
          try {
            segments.remove(segment);
          } catch (IOException e) {
            throw Failures.of("remove segment failed: file=" + segments.path(segment), e);
          }
          return true;
        });
  }
}
