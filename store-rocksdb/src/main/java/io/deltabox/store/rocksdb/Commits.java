package io.deltabox.store.rocksdb;

import io.deltabox.store.Bytes;
import io.deltabox.store.CommitResult;
import io.deltabox.store.Durability;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.StoreException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/**
 * Commits, in the order of their numbers.
 *
 * <p>A commit judges its conditions and appends its batch to the log under one lock, for some
 * microseconds. It becomes durable outside of it, by a sync of the log that covers everything
 * written before: chunks, other families, and the commits that came meanwhile. So one sync serves
 * all who wait for it. A commit is therefore seen by other threads a moment before it is durable,
 * as one at {@link Durability#BUFFERED} is.
 *
 * <p>Each batch carries its number in {@link Family#MARK}; after each sync the newest number
 * covered goes into the {@link Watermark}.
 */
final class Commits {
  private static final byte[] MARK = {'n'};

  private final Handles handles;
  private final Watermark watermark;
  private final Object order = new Object();
  private final Object syncing = new Object();

  /** Changed under {@code order}. */
  private volatile long written;

  /** Guarded by {@code syncing}. */
  private long durable;

  /**
   * @param newest what {@link #newest} gave
   */
  Commits(Handles handles, Watermark watermark, long newest) {
    this.handles = handles;
    this.watermark = watermark;
    this.written = newest;
  }

  /** The number of the newest commit that is there; 0 for none. */
  static long newest(Handles handles) throws StoreException {
    return handles.call(
        () -> "read number of commits failed",
        database -> {
          byte[] found = database.get(handles.family(Family.MARK), handles.reading(), MARK);
          return found == null ? 0 : ByteBuffer.wrap(found).getLong();
        });
  }

  CommitResult commit(RecordBatch batch, Durability durability) throws StoreException {
    return handles.change(
        () -> "commit failed: changes=" + batch.changes().size() + " bytes=" + batch.bytes(),
        database -> commit(database, batch, durability));
  }

  private CommitResult commit(RocksDB database, RecordBatch batch, Durability durability)
      throws RocksDBException, StoreException {
    long number;
    try (WriteBatch changes = encode(batch)) {
      synchronized (order) {
        CommitResult.Conflict conflict = conflict(database, batch);
        if (conflict != null) {
          return conflict;
        }
        number = append(database, changes);
      }
    }
    if (durability == Durability.SYNC) {
      makeDurable(database, number);
    }
    return new CommitResult.Committed();
  }

  /** Makes everything durable that was written before; inside a call or the closing. */
  void sync(RocksDB database) throws RocksDBException, StoreException {
    long number;
    try (WriteBatch none = new WriteBatch()) {
      synchronized (order) {
        number = append(database, none);
      }
    }
    makeDurable(database, number);
    watermark.sync();
  }

  private WriteBatch encode(RecordBatch batch) throws RocksDBException {
    WriteBatch changes = new WriteBatch();
    try {
      for (RecordBatch.Change change : batch.changes()) {
        byte[] key = change.key().toArray();
        Bytes value = change.value();
        if (value == null) {
          changes.delete(handles.family(Family.of(change.space())), key);
        } else {
          changes.put(handles.family(Family.of(change.space())), key, value.toArray());
        }
      }
      return changes;
    } catch (RocksDBException | RuntimeException e) {
      changes.close();
      throw e;
    }
  }

  private CommitResult.@Nullable Conflict conflict(RocksDB database, RecordBatch batch)
      throws RocksDBException {
    for (RecordBatch.Condition condition : batch.conditions()) {
      byte[] found =
          database.get(
              handles.family(Family.of(condition.space())),
              handles.reading(),
              condition.key().toArray());
      Bytes expected = condition.value();
      if (!Arrays.equals(found, expected == null ? null : expected.toArray())) {
        return new CommitResult.Conflict(condition, Optional.ofNullable(found).map(Bytes::of));
      }
    }
    return null;
  }

  /** Under {@code order}: so numbers rise along the log. */
  private long append(RocksDB database, WriteBatch changes) throws RocksDBException {
    long number = written + 1;
    byte[] mark = ByteBuffer.allocate(Long.BYTES).putLong(number).array();
    changes.put(handles.family(Family.MARK), MARK, mark);
    database.write(handles.writing(), changes);
    written = number;
    return number;
  }

  private void makeDurable(RocksDB database, long number) throws RocksDBException, StoreException {
    synchronized (syncing) {
      if (durable >= number) {
        return;
      }
      long reached = written;
      database.syncWal();
      watermark.set(reached);
      durable = reached;
    }
  }
}
