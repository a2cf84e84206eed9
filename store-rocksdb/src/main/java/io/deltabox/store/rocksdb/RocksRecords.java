package io.deltabox.store.rocksdb;

import io.deltabox.store.Bytes;
import io.deltabox.store.CommitResult;
import io.deltabox.store.Durability;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.RecordRange;
import io.deltabox.store.RecordStore;
import io.deltabox.store.Space;
import io.deltabox.store.StoreException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.Snapshot;

/** Records: each space is a family. */
final class RocksRecords implements RecordStore {
  private final Handles handles;
  private final Changes changes;
  private final SegmentLog log;

  RocksRecords(Handles handles, Changes changes, SegmentLog log) {
    this.handles = handles;
    this.changes = changes;
    this.log = log;
  }

  @Override
  public Optional<Bytes> get(Space space, Bytes key) throws StoreException {
    return handles.call(
        () -> failed(space, key),
        database -> {
          byte[] found = handles.get(database, Family.of(space), handles.reading(), key.toArray());
          return Optional.ofNullable(found).map(Bytes::of);
        });
  }

  @Override
  public Map<Bytes, Bytes> getAll(Space space, Collection<Bytes> keys) throws StoreException {
    List<Bytes> wanted = new ArrayList<>(new LinkedHashSet<>(keys));
    return handles.call(
        () -> "read records failed: space=" + space,
        database -> {
          Snapshot moment = database.getSnapshot();
          try (ReadOptions reading = new ReadOptions().setSnapshot(moment)) {
            return values(database, reading, space, wanted);
          } finally {
            database.releaseSnapshot(moment);
          }
        });
  }

  private Map<Bytes, Bytes> values(
      RocksDB database, ReadOptions reading, Space space, List<Bytes> keys) throws StoreException {
    List<byte @Nullable []> found =
        Lookup.values(
            database,
            handles,
            Family.of(space),
            reading,
            keys.stream().map(Bytes::toArray).toList(),
            i -> failed(space, keys.get(i)));
    Map<Bytes, Bytes> values = new HashMap<>();
    for (int i = 0; i < keys.size(); i++) {
      byte[] value = found.get(i);
      if (value != null) {
        values.put(keys.get(i), Bytes.of(value));
      }
    }
    return values;
  }

  private static String failed(Space space, Bytes key) {
    return "read record failed: space=" + space + " key=" + key;
  }

  @Override
  public Cursor scan(Space space, RecordRange range) throws StoreException {
    Bytes to = range.to();
    RangeWalk walk =
        RangeWalk.open(
            handles,
            () -> "scan records failed: space=" + space,
            Family.of(space),
            range.from().toArray(),
            to == null ? null : to.toArray());
    return new Cursor() {
      @Override
      public boolean next() throws StoreException {
        return walk.next();
      }

      @Override
      public Bytes key() {
        return Bytes.of(walk.key());
      }

      @Override
      public Bytes value() {
        return Bytes.of(walk.value());
      }

      @Override
      public void close() {
        walk.close();
      }
    };
  }

  @Override
  public CommitResult commit(RecordBatch batch, Durability durability) throws StoreException {
    return handles.change(
        () -> "commit failed: changes=" + batch.changes().size() + " bytes=" + batch.bytes(),
        database -> {
          Changes.Committed committed = changes.commit(database, batch);
          if (committed.result().committed() && durability == Durability.SYNC) {
            log.sync(committed.end());
          }
          changes.flushIfDue(database);
          return committed.result();
        });
  }
}
