package io.deltabox.store.local;

import io.deltabox.store.Bytes;
import io.deltabox.store.Capability;
import io.deltabox.store.Chunk;
import io.deltabox.store.ChunkId;
import io.deltabox.store.ChunkStore;
import io.deltabox.store.CommitResult;
import io.deltabox.store.Durability;
import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.RecordRange;
import io.deltabox.store.RecordStore;
import io.deltabox.store.Space;
import io.deltabox.store.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A hot store in files. What is not durable yet - chunks, deletions, commits - waits in memory, in
 * order; a commit that is to be durable, or too much waiting, writes it: chunks first, then the
 * commits, then the deletions, each durable before the next. So a crash at any moment leaves what
 * was there at some moment.
 *
 * <p>{@code this} guards what waits; the gate is entered first.
 */
final class FileHotStore implements HotStore {
  private static final long WAITING_BYTES_MAX = 64 << 20;

  private final Path directory;
  private final Gate gate;
  private final @Nullable FileLock lock;
  private final ChunkFiles files;
  private final RecordTable table;
  private final RecordLog log;
  private final ChunkStore chunks = new FileChunks();
  private final RecordStore records = new FileRecords();

  private final Map<ChunkId, Bytes> waitingChunks = new LinkedHashMap<>();
  private final Set<ChunkId> waitingDeletions = new HashSet<>();
  private final List<RecordBatch.Change> waitingChanges = new ArrayList<>();
  private long waitingBytes;

  private FileHotStore(
      Path directory,
      Gate gate,
      @Nullable FileLock lock,
      RecordTable table,
      RecordLog log,
      ChunkFiles files) {
    this.directory = directory;
    this.gate = gate;
    this.lock = lock;
    this.table = table;
    this.log = log;
    this.files = files;
  }

  static FileHotStore open(Path directory, OpenOptions options) throws IOException {
    boolean readOnly = options.readOnly();
    FileLock lock = readOnly ? null : FileLock.take(directory);
    try {
      ChunkFiles files = ChunkFiles.open(directory.resolve("chunks"), readOnly);
      RecordTable table = new RecordTable();
      RecordLog log = RecordLog.open(directory, readOnly, table);
      Gate gate = new Gate("file:" + directory, readOnly);
      return new FileHotStore(directory, gate, lock, table, log, files);
    } catch (IOException e) {
      if (lock != null) {
        lock.close();
      }
      throw e;
    }
  }

  @Override
  public ChunkStore chunks() {
    return chunks;
  }

  @Override
  public RecordStore records() {
    return records;
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of(Capability.DURABLE);
  }

  @Override
  public Map<String, Long> figures() throws StoreException {
    return gate.pass(
        () -> {
          try {
            long chunkBytes = 0;
            for (ChunkId id : files.ids(new ChunkId(0, 0, 0, 0))) {
              chunkBytes += files.length(id);
            }
            synchronized (this) {
              return Map.of(
                  "memory_bytes", table.bytes() + waitingBytes,
                  "disk_bytes", chunkBytes + log.bytes());
            }
          } catch (IOException e) {
            throw Disk.failure("measure store failed: directory=" + directory, e);
          }
        });
  }

  @Override
  public void verify() throws StoreException {
    gate.pass(
        () -> {
          try {
            for (ChunkId id : files.ids(new ChunkId(0, 0, 0, 0))) {
              files.read(id);
            }
            synchronized (this) {
              log.verify();
            }
          } catch (IOException e) {
            throw Disk.failure("verify store failed: directory=" + directory, e);
          }
          return true;
        });
  }

  @Override
  public void close() throws StoreException {
    gate.close(
        () -> {
          try (log) {
            if (lock != null) {
              flush(List.of());
            }
          } finally {
            if (lock != null) {
              lock.close();
            }
          }
        });
  }

  /** Makes durable what waits, and some more changes behind it. */
  private synchronized void flush(List<RecordBatch.Change> more) throws StoreException {
    try {
      files.write(waitingChunks);
      List<RecordBatch.Change> all = new ArrayList<>(waitingChanges);
      all.addAll(more);
      log.append(all);
      waitingChunks.clear();
      waitingChanges.clear();
      waitingBytes = 0;
      files.delete(waitingDeletions);
      waitingDeletions.clear();
    } catch (IOException e) {
      throw Disk.failure("make durable failed: directory=" + directory, e);
    }
  }

  private void flushIfMuchWaits() throws StoreException {
    if (waitingBytes > WAITING_BYTES_MAX) {
      flush(List.of());
    }
  }

  /** The stored form of a chunk, or null. */
  private @Nullable ByteBuffer find(ChunkId id) throws IOException {
    synchronized (this) {
      Bytes waiting = waitingChunks.get(id);
      if (waiting != null) {
        return waiting.buffer();
      }
      if (waitingDeletions.contains(id)) {
        return null;
      }
    }
    return files.read(id);
  }

  private final class FileChunks implements ChunkStore {
    @Override
    public void write(Collection<Chunk> written) throws StoreException {
      Chunks.checkBytes(written);
      gate.passToChange(
          () -> {
            synchronized (FileHotStore.this) {
              for (Chunk chunk : written) {
                Bytes old = waitingChunks.put(chunk.id(), Bytes.of(chunk.bytes()));
                waitingBytes += chunk.bytes().remaining() - (old == null ? 0 : old.length());
                waitingDeletions.remove(chunk.id());
              }
              flushIfMuchWaits();
            }
            return true;
          });
    }

    @Override
    public Set<ChunkId> read(Collection<ChunkId> ids, Receiver receiver) throws StoreException {
      return gate.pass(
          () -> {
            Set<ChunkId> missing = new HashSet<>();
            for (ChunkId id : new HashSet<>(ids)) {
              ByteBuffer found = load(id);
              if (found == null) {
                missing.add(id);
              } else {
                receiver.receive(id, found);
              }
            }
            return missing;
          });
    }

    private @Nullable ByteBuffer load(ChunkId id) throws StoreException {
      try {
        return find(id);
      } catch (IOException e) {
        throw Disk.failure("read chunk failed: id=" + id, e);
      }
    }

    @Override
    public Set<ChunkId> has(Collection<ChunkId> ids) throws StoreException {
      return gate.pass(
          () -> {
            Set<ChunkId> found = new HashSet<>();
            synchronized (FileHotStore.this) {
              for (ChunkId id : ids) {
                if (waitingChunks.containsKey(id)
                    || (!waitingDeletions.contains(id) && files.has(id))) {
                  found.add(id);
                }
              }
            }
            return found;
          });
    }

    @Override
    public void delete(Collection<ChunkId> ids) throws StoreException {
      gate.passToChange(
          () -> {
            synchronized (FileHotStore.this) {
              for (ChunkId id : ids) {
                Bytes old = waitingChunks.remove(id);
                waitingBytes += ChunkId.BYTES - (old == null ? 0 : old.length());
                waitingDeletions.add(id);
              }
              flushIfMuchWaits();
            }
            return true;
          });
    }

    @Override
    public ChunkStore.Cursor ids(ChunkId from) throws StoreException {
      return gate.pass(
          () -> {
            try {
              synchronized (FileHotStore.this) {
                NavigableSet<ChunkId> ids = files.ids(from);
                ids.removeAll(waitingDeletions);
                waitingChunks.keySet().stream()
                    .filter(id -> id.compareTo(from) >= 0)
                    .forEach(ids::add);
                return ListCursors.ids(gate, ids, this::length);
              }
            } catch (IOException e) {
              throw Disk.failure("list chunks failed: directory=" + directory, e);
            }
          });
    }

    private int length(ChunkId id) throws StoreException {
      synchronized (FileHotStore.this) {
        Bytes waiting = waitingChunks.get(id);
        if (waiting != null) {
          return waiting.length();
        }
      }
      try {
        return files.length(id);
      } catch (IOException e) {
        throw Disk.failure("look at chunk failed: id=" + id, e);
      }
    }
  }

  private final class FileRecords implements RecordStore {
    @Override
    public Optional<Bytes> get(Space space, Bytes key) throws StoreException {
      return gate.pass(() -> table.get(space, key));
    }

    @Override
    public Map<Bytes, Bytes> getAll(Space space, Collection<Bytes> keys) throws StoreException {
      return gate.pass(() -> table.getAll(space, keys));
    }

    @Override
    public RecordStore.Cursor scan(Space space, RecordRange range) throws StoreException {
      return gate.pass(() -> ListCursors.records(gate, table.range(space, range)));
    }

    @Override
    public CommitResult commit(RecordBatch batch, Durability durability) throws StoreException {
      return gate.passToChange(() -> commitHere(batch, durability));
    }

    private CommitResult commitHere(RecordBatch batch, Durability durability)
        throws StoreException {
      synchronized (FileHotStore.this) {
        Optional<CommitResult.Conflict> conflict = table.conflict(batch);
        if (conflict.isPresent()) {
          return conflict.get();
        }
        if (durability == Durability.SYNC || waitingBytes + batch.bytes() > WAITING_BYTES_MAX) {
          flush(batch.changes());
        } else {
          waitingChanges.addAll(batch.changes());
          waitingBytes += batch.bytes();
        }
        table.apply(batch.changes());
        return new CommitResult.Committed();
      }
    }
  }
}
