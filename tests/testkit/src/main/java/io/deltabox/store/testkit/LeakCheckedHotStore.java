package io.deltabox.store.testkit;

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
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** A store that fails its close when a cursor was left open, and says where that was opened. */
public final class LeakCheckedHotStore implements HotStore {
  private final @Nullable HotStore inner;
  private final Map<AutoCloseable, Throwable> open = new ConcurrentHashMap<>();

  /** A store that is closed already. */
  LeakCheckedHotStore() {
    this.inner = null;
  }

  /**
   * @param inner taken over
   */
  public LeakCheckedHotStore(HotStore inner) {
    this.inner = inner;
  }

  private HotStore inner() {
    if (inner == null) {
      throw new IllegalStateException("no store is open");
    }
    return inner;
  }

  @Override
  public ChunkStore chunks() {
    return new Chunks(inner().chunks());
  }

  @Override
  public RecordStore records() {
    return new Records(inner().records());
  }

  @Override
  public Set<Capability> capabilities() {
    return inner().capabilities();
  }

  @Override
  public Map<String, Long> figures() throws StoreException {
    return inner().figures();
  }

  @Override
  public void verify() throws StoreException {
    inner().verify();
  }

  @Override
  public void close() throws StoreException {
    if (inner == null) {
      return;
    }
    Map<AutoCloseable, Throwable> left = Map.copyOf(open);
    open.clear();
    inner.close();
    for (Throwable opened : left.values()) {
      throw new AssertionError("a cursor was left open", opened);
    }
  }

  private final class Chunks implements ChunkStore {
    private final ChunkStore chunks;

    Chunks(ChunkStore chunks) {
      this.chunks = chunks;
    }

    @Override
    public void write(Collection<Chunk> written) throws StoreException {
      chunks.write(written);
    }

    @Override
    public Set<ChunkId> read(Collection<ChunkId> ids, Receiver receiver) throws StoreException {
      return chunks.read(ids, receiver);
    }

    @Override
    public Set<ChunkId> has(Collection<ChunkId> ids) throws StoreException {
      return chunks.has(ids);
    }

    @Override
    public void delete(Collection<ChunkId> ids) throws StoreException {
      chunks.delete(ids);
    }

    @Override
    public ChunkStore.Cursor ids(ChunkId from) throws StoreException {
      ChunkStore.Cursor cursor = chunks.ids(from);
      open.put(cursor, new Throwable("opened here"));
      return new ChunkStore.Cursor() {
        @Override
        public boolean next() throws StoreException {
          return cursor.next();
        }

        @Override
        public ChunkId id() {
          return cursor.id();
        }

        @Override
        public int bytes() throws StoreException {
          return cursor.bytes();
        }

        @Override
        public void close() {
          open.remove(cursor);
          cursor.close();
        }
      };
    }
  }

  private final class Records implements RecordStore {
    private final RecordStore records;

    Records(RecordStore records) {
      this.records = records;
    }

    @Override
    public Optional<Bytes> get(Space space, Bytes key) throws StoreException {
      return records.get(space, key);
    }

    @Override
    public Map<Bytes, Bytes> getAll(Space space, Collection<Bytes> keys) throws StoreException {
      return records.getAll(space, keys);
    }

    @Override
    public CommitResult commit(RecordBatch batch, Durability durability) throws StoreException {
      return records.commit(batch, durability);
    }

    @Override
    public RecordStore.Cursor scan(Space space, RecordRange range) throws StoreException {
      RecordStore.Cursor cursor = records.scan(space, range);
      open.put(cursor, new Throwable("opened here"));
      return new RecordStore.Cursor() {
        @Override
        public boolean next() throws StoreException {
          return cursor.next();
        }

        @Override
        public Bytes key() {
          return cursor.key();
        }

        @Override
        public Bytes value() {
          return cursor.value();
        }

        @Override
        public void close() {
          open.remove(cursor);
          cursor.close();
        }
      };
    }
  }
}
