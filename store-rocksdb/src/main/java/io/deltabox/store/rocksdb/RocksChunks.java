package io.deltabox.store.rocksdb;

import io.deltabox.store.Chunk;
import io.deltabox.store.ChunkId;
import io.deltabox.store.ChunkStore;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Chunks: the log holds them, the index says where. */
final class RocksChunks implements ChunkStore {
  private static final int LOOKUP_COUNT = 1024;

  /** A chunk may be moved between the look at the index and the look at the log; seldom again. */
  private static final int ATTEMPTS = 100;

  private final Handles handles;
  private final Index index;
  private final Segments segments;
  private final Changes changes;
  private final Buffers buffers;

  RocksChunks(Handles handles, Index index, Segments segments, Changes changes, Buffers buffers) {
    this.handles = handles;
    this.index = index;
    this.segments = segments;
    this.changes = changes;
    this.buffers = buffers;
  }

  @Override
  public void write(Collection<Chunk> chunks) throws StoreException {
    long bytes = 0;
    Map<ChunkId, Chunk> distinct = new LinkedHashMap<>();
    for (Chunk chunk : chunks) {
      bytes += chunk.bytes().remaining();
      distinct.putIfAbsent(chunk.id(), chunk);
    }
    if (bytes > WRITE_BYTES_MAX) {
      throw new IllegalArgumentException(
          "chunks too large for one write: bytes=" + bytes + " limit=" + WRITE_BYTES_MAX);
    }
    handles.change(
        () -> "write chunks failed: count=" + chunks.size(),
        database -> {
          changes.write(database, List.copyOf(distinct.values()));
          return true;
        });
  }

  /** Where a chunk lies. */
  private record Found(ChunkId id, Location location) {}

  @Override
  public Set<ChunkId> read(Collection<ChunkId> ids, Receiver receiver) throws StoreException {
    handles.requireOpen();
    List<ChunkId> wanted = new ArrayList<>(new LinkedHashSet<>(ids));
    Set<ChunkId> missing = new HashSet<>();
    for (int from = 0; from < wanted.size(); from += LOOKUP_COUNT) {
      List<ChunkId> some = wanted.subList(from, Math.min(from + LOOKUP_COUNT, wanted.size()));
      List<Found> found = find(some, missing);
      for (int first = 0; first < found.size(); ) {
        int last = lastOfRun(found, first);
        readRun(found.subList(first, last + 1), missing, receiver);
        first = last + 1;
      }
    }
    return missing;
  }

  private List<Found> find(List<ChunkId> ids, Set<ChunkId> missing) throws StoreException {
    List<@Nullable Location> locations =
        handles.call(() -> "look up chunks failed", database -> index.locations(database, ids));
    List<Found> found = new ArrayList<>();
    for (int i = 0; i < ids.size(); i++) {
      Location location = locations.get(i);
      if (location == null) {
        missing.add(ids.get(i));
      } else {
        found.add(new Found(ids.get(i), location));
      }
    }
    found.sort((one, other) -> one.location().place().compareTo(other.location().place()));
    return found;
  }

  /** What lies side by side is read at once. */
  private static int lastOfRun(List<Found> found, int first) {
    int last = first;
    long bytes = found.get(first).location().entryBytes();
    while (last + 1 < found.size()
        && found.get(last + 1).location().place().equals(found.get(last).location().end())
        && bytes + found.get(last + 1).location().entryBytes() <= Buffers.BYTES) {
      last++;
      bytes += found.get(last).location().entryBytes();
    }
    return last;
  }

  private void readRun(List<Found> run, Set<ChunkId> missing, Receiver receiver)
      throws StoreException {
    ByteBuffer buffer = buffers.take();
    try {
      if (load(run, buffer)) {
        // Outside of the call: the receiver may do with the store what it likes.
        for (Found one : run) {
          receiver.receive(one.id(), body(one, buffer, run.get(0)));
        }
      } else {
        for (Found one : run) {
          readMoved(one, buffer, missing, receiver);
        }
      }
    } finally {
      buffers.give(buffer);
    }
  }

  /** False if the segment is gone. */
  private boolean load(List<Found> run, ByteBuffer buffer) throws StoreException {
    Place from = run.get(0).location().place();
    Place to = run.get(run.size() - 1).location().end();
    buffer.clear().limit((int) (to.offset() - from.offset()));
    return handles.call(
        () -> "read chunks failed",
        database -> {
          try {
            segments.read(from.segment(), buffer, from.offset());
            return true;
          } catch (NoSuchFileException e) {
            return false;
          } catch (IOException e) {
            throw Failures.of("read chunks failed: " + from, e);
          }
        });
  }

  private void readMoved(Found old, ByteBuffer buffer, Set<ChunkId> missing, Receiver receiver)
      throws StoreException {
    Found last = old;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      List<Found> now = find(List.of(old.id()), missing);
      if (now.isEmpty()) {
        return;
      }
      if (load(now, buffer)) {
        receiver.receive(old.id(), body(now.get(0), buffer, now.get(0)));
        return;
      }
      if (attempt > 0 && now.get(0).equals(last)) {
        break;
      }
      last = now.get(0);
    }
    throw new StoreCorruptException(
        "chunk is known and the file that holds it is gone: id="
            + old.id()
            + " file="
            + segments.path(last.location().place().segment()));
  }

  /** The stored form, checked. */
  private ByteBuffer body(Found one, ByteBuffer run, Found first) throws StoreCorruptException {
    long at = one.location().place().offset() - first.location().place().offset();
    ByteBuffer body = checked(one, run, (int) at);
    if (body == null) {
      throw new StoreCorruptException(
          "chunk is damaged: id="
              + one.id()
              + " file="
              + segments.path(one.location().place().segment())
              + " at="
              + one.location().place().offset()
              + " bytes="
              + one.location().bytes());
    }
    return body;
  }

  private static @Nullable ByteBuffer checked(Found one, ByteBuffer run, int at) {
    Entry entry = at > run.limit() ? null : Entry.read(run.duplicate().position(at));
    int from = at + Entry.HEAD_BYTES;
    if (entry == null
        || !entry.holdsChunk()
        || !entry.place().equals(one.location().place())
        || !entry.id().equals(one.id())
        || entry.bytes() != one.location().bytes()
        || from + entry.bytes() > run.limit()) {
      return null;
    }
    ByteBuffer body = run.slice(from, entry.bytes());
    return Entry.crc(body) == entry.bodyCrc() ? body.asReadOnlyBuffer() : null;
  }

  @Override
  public Set<ChunkId> has(Collection<ChunkId> ids) throws StoreException {
    handles.requireOpen();
    List<ChunkId> wanted = new ArrayList<>(new LinkedHashSet<>(ids));
    Set<ChunkId> there = new HashSet<>();
    for (int from = 0; from < wanted.size(); from += LOOKUP_COUNT) {
      List<ChunkId> some = wanted.subList(from, Math.min(from + LOOKUP_COUNT, wanted.size()));
      find(some, new HashSet<>()).forEach(found -> there.add(found.id()));
    }
    return there;
  }

  @Override
  public void delete(Collection<ChunkId> ids) throws StoreException {
    List<ChunkId> gone = new ArrayList<>(new LinkedHashSet<>(ids));
    handles.change(
        () -> "delete chunks failed: count=" + ids.size(),
        database -> {
          for (int from = 0; from < gone.size(); from += LOOKUP_COUNT) {
            changes.delete(
                database, gone.subList(from, Math.min(from + LOOKUP_COUNT, gone.size())));
          }
          return true;
        });
  }

  @Override
  public Cursor ids(ChunkId from) throws StoreException {
    RangeWalk walk =
        RangeWalk.open(handles, () -> "list chunks failed", Family.PLACE, from.toArray(), null);
    return new Cursor() {
      @Override
      public boolean next() throws StoreException {
        return walk.next();
      }

      @Override
      public ChunkId id() {
        return ChunkId.read(ByteBuffer.wrap(walk.key()));
      }

      @Override
      public int bytes() {
        return Location.of(walk.value()).bytes();
      }

      @Override
      public void close() {
        walk.close();
      }
    };
  }
}
