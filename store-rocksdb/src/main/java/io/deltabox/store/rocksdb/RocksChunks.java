package io.deltabox.store.rocksdb;

import io.deltabox.store.Chunk;
import io.deltabox.store.ChunkId;
import io.deltabox.store.ChunkStore;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.Snapshot;
import org.rocksdb.WriteBatch;

/**
 * Chunks: the stored form in one family, its length in another. Both are always changed in one
 * batch, so that one without the other is damage.
 */
final class RocksChunks implements ChunkStore {
  /** Large enough to be cheap per chunk, small enough to be copied by the database in cache. */
  private static final long BATCH_BYTES = 1 << 20;

  /** 32 chunks of at most 512 KiB: 16 MiB are in memory twice for a moment. */
  private static final int READ_COUNT = 32;

  private static final int LOOKUP_COUNT = 1024;

  private final Handles handles;

  RocksChunks(Handles handles) {
    this.handles = handles;
  }

  @Override
  public void write(Collection<Chunk> chunks) throws StoreException {
    long bytes = 0;
    for (Chunk chunk : chunks) {
      bytes += chunk.bytes().remaining();
    }
    if (bytes > WRITE_BYTES_MAX) {
      throw new IllegalArgumentException(
          "chunks too large for one write: bytes=" + bytes + " limit=" + WRITE_BYTES_MAX);
    }
    handles.change(
        () -> "write chunks failed: count=" + chunks.size(),
        database -> {
          try (WriteBatch batch = new WriteBatch()) {
            ByteBuffer key = ByteBuffer.allocateDirect(ChunkId.BYTES);
            for (Chunk chunk : chunks) {
              put(batch, chunk, key);
              writeIfAbove(database, batch, BATCH_BYTES);
            }
            writeIfAbove(database, batch, 0);
          }
          return true;
        });
  }

  private void put(WriteBatch batch, Chunk chunk, ByteBuffer directKey) throws RocksDBException {
    ByteBuffer bytes = chunk.bytes().duplicate();
    byte[] key = chunk.id().toArray();
    byte[] length = ByteBuffer.allocate(Integer.BYTES).putInt(bytes.remaining()).array();
    batch.put(handles.family(Family.LENGTH), key, length);
    if (bytes.isDirect()) {
      directKey.clear().put(key).flip();
      batch.put(handles.family(Family.CHUNK), directKey, bytes);
    } else {
      byte[] copy = new byte[bytes.remaining()];
      bytes.get(copy);
      batch.put(handles.family(Family.CHUNK), key, copy);
    }
  }

  private void writeIfAbove(RocksDB database, WriteBatch batch, long bytes)
      throws RocksDBException {
    if (batch.count() > 0 && batch.getDataSize() > bytes) {
      database.write(handles.writing(), batch);
      batch.clear();
    }
  }

  /** A chunk that was read. */
  private record Found(ChunkId id, ByteBuffer bytes) {}

  @Override
  public Set<ChunkId> read(Collection<ChunkId> ids, Receiver receiver) throws StoreException {
    handles.requireOpen();
    List<ChunkId> wanted = new ArrayList<>(new LinkedHashSet<>(ids));
    Set<ChunkId> missing = new HashSet<>();
    for (int from = 0; from < wanted.size(); from += READ_COUNT) {
      List<ChunkId> some = wanted.subList(from, Math.min(from + READ_COUNT, wanted.size()));
      List<Found> found =
          handles.call(() -> "read chunks failed", database -> load(database, some, missing));
      // Outside of the call: the receiver may do with the store what it likes.
      for (Found one : found) {
        receiver.receive(one.id(), one.bytes());
      }
    }
    return missing;
  }

  private List<Found> load(RocksDB database, List<ChunkId> ids, Set<ChunkId> missing)
      throws RocksDBException, StoreException {
    List<byte @Nullable []> values = values(database, Family.CHUNK, ids);
    List<Found> found = new ArrayList<>();
    for (int i = 0; i < ids.size(); i++) {
      byte[] value = values.get(i);
      if (value == null) {
        requireAbsent(database, ids.get(i));
        missing.add(ids.get(i));
      } else {
        found.add(new Found(ids.get(i), ByteBuffer.wrap(value).asReadOnlyBuffer()));
      }
    }
    return found;
  }

  private List<byte @Nullable []> values(RocksDB database, Family family, List<ChunkId> ids)
      throws StoreException {
    List<byte[]> keys = ids.stream().map(ChunkId::toArray).toList();
    return Lookup.values(
        database,
        handles,
        family,
        handles.reading(),
        keys,
        i -> "read chunk failed: id=" + ids.get(i));
  }

  /** Both families at the same moment, as others may write and delete the chunk meanwhile. */
  private void requireAbsent(RocksDB database, ChunkId id) throws RocksDBException, StoreException {
    byte[] key = id.toArray();
    Snapshot moment = database.getSnapshot();
    try (ReadOptions reading = new ReadOptions().setSnapshot(moment)) {
      if (database.get(handles.family(Family.LENGTH), reading, key) != null
          && database.get(handles.family(Family.CHUNK), reading, key) == null) {
        throw new StoreCorruptException("chunk is known and its content is gone: id=" + id);
      }
    } finally {
      database.releaseSnapshot(moment);
    }
  }

  @Override
  public Set<ChunkId> has(Collection<ChunkId> ids) throws StoreException {
    handles.requireOpen();
    List<ChunkId> wanted = new ArrayList<>(new LinkedHashSet<>(ids));
    Set<ChunkId> there = new HashSet<>();
    for (int from = 0; from < wanted.size(); from += LOOKUP_COUNT) {
      List<ChunkId> some = wanted.subList(from, Math.min(from + LOOKUP_COUNT, wanted.size()));
      List<byte @Nullable []> lengths =
          handles.call(
              () -> "look up chunks failed", database -> values(database, Family.LENGTH, some));
      for (int i = 0; i < some.size(); i++) {
        if (lengths.get(i) != null) {
          there.add(some.get(i));
        }
      }
    }
    return there;
  }

  @Override
  public void delete(Collection<ChunkId> ids) throws StoreException {
    handles.change(
        () -> "delete chunks failed: count=" + ids.size(),
        database -> {
          try (WriteBatch batch = new WriteBatch()) {
            for (ChunkId id : ids) {
              byte[] key = id.toArray();
              batch.delete(handles.family(Family.LENGTH), key);
              batch.delete(handles.family(Family.CHUNK), key);
              writeIfAbove(database, batch, BATCH_BYTES);
            }
            writeIfAbove(database, batch, 0);
          }
          return true;
        });
  }

  @Override
  public Cursor ids(ChunkId from) throws StoreException {
    RangeWalk walk =
        RangeWalk.open(handles, () -> "list chunks failed", Family.LENGTH, from.toArray(), null);
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
        return length(walk.value());
      }

      @Override
      public void close() {
        walk.close();
      }
    };
  }

  static int length(byte[] value) {
    return ByteBuffer.wrap(value).getInt();
  }
}
