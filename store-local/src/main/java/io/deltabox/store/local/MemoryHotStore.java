package io.deltabox.store.local;

import io.deltabox.store.Bytes;
import io.deltabox.store.Capability;
import io.deltabox.store.Chunk;
import io.deltabox.store.ChunkId;
import io.deltabox.store.ChunkStore;
import io.deltabox.store.CommitResult;
import io.deltabox.store.Durability;
import io.deltabox.store.HotStore;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.RecordRange;
import io.deltabox.store.RecordStore;
import io.deltabox.store.Space;
import io.deltabox.store.StoreException;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;

/** A hot store in memory; it promises nothing beyond its own life. */
final class MemoryHotStore implements HotStore {
  private final Gate gate;
  private final ConcurrentSkipListMap<ChunkId, Bytes> content = new ConcurrentSkipListMap<>();
  private final RecordTable table = new RecordTable();
  private final ChunkStore chunks = new MemoryChunks();
  private final RecordStore records = new MemoryRecords();

  MemoryHotStore(String what) {
    this.gate = new Gate(what, /* readOnly= */ false);
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
    return Set.of();
  }

  @Override
  public Map<String, Long> figures() throws StoreException {
    return gate.pass(
        () -> {
          long bytes = content.values().stream().mapToLong(Bytes::length).sum();
          return Map.of("memory_bytes", bytes + table.bytes(), "disk_bytes", 0L);
        });
  }

  @Override
  public void verify() throws StoreException {
    gate.pass(() -> true);
  }

  @Override
  public void close() throws StoreException {
    gate.close(content::clear);
  }

  private final class MemoryChunks implements ChunkStore {
    @Override
    public void write(Collection<Chunk> written) throws StoreException {
      gate.pass(
          () -> {
            Chunks.checkBytes(written);
            written.forEach(chunk -> content.put(chunk.id(), Bytes.of(chunk.bytes())));
            return true;
          });
    }

    @Override
    public Set<ChunkId> read(Collection<ChunkId> ids, Receiver receiver) throws StoreException {
      return gate.pass(
          () -> {
            Set<ChunkId> missing = new HashSet<>();
            for (ChunkId id : new HashSet<>(ids)) {
              Bytes found = content.get(id);
              if (found == null) {
                missing.add(id);
              } else {
                receiver.receive(id, found.buffer());
              }
            }
            return missing;
          });
    }

    @Override
    public Set<ChunkId> has(Collection<ChunkId> ids) throws StoreException {
      return gate.pass(
          () -> {
            Set<ChunkId> found = new HashSet<>(ids);
            found.removeIf(id -> !content.containsKey(id));
            return found;
          });
    }

    @Override
    public void delete(Collection<ChunkId> ids) throws StoreException {
      gate.pass(
          () -> {
            ids.forEach(content::remove);
            return true;
          });
    }

    @Override
    public ChunkStore.Cursor ids(ChunkId from) throws StoreException {
      return gate.pass(
          () -> ListCursors.ids(gate, content.tailMap(from, true).keySet(), this::length));
    }

    private int length(ChunkId id) {
      Bytes found = content.get(id);
      return found == null ? 0 : found.length();
    }
  }

  private final class MemoryRecords implements RecordStore {
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
      return gate.pass(
          () -> {
            synchronized (table) {
              Optional<CommitResult.Conflict> conflict = table.conflict(batch);
              if (conflict.isPresent()) {
                return conflict.get();
              }
              table.apply(batch.changes());
              return new CommitResult.Committed();
            }
          });
    }
  }
}
