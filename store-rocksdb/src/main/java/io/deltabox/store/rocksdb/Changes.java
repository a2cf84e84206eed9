package io.deltabox.store.rocksdb;

import io.deltabox.store.Bytes;
import io.deltabox.store.Chunk;
import io.deltabox.store.ChunkId;
import io.deltabox.store.CommitResult;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.StoreException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.rocksdb.FlushOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/**
 * All changes, in one order: each is appended to the log and then made in the index, under one
 * lock, for well below a millisecond. The lock is fair, so that a commit comes through beside a
 * thread that writes without end.
 *
 * <p>Used inside calls of {@link Handles}.
 */
final class Changes {
  private final ReentrantLock order = new ReentrantLock(true);
  private final Handles handles;
  private final Index index;
  private final SegmentLog log;
  private final Buffers buffers;
  private final long flushBytes;
  private final Runnable wake;

  // Guarded by the lock.
  private long number;
  private long sinceFlush;
  private long made;

  /** Changed under the lock: whoever looked something up asks whether it may be old. */
  private volatile long version;

  /**
   * @param flushBytes the log behind what the index has written out is about that long at most
   * @param wake called when there may be something to do for {@link Upkeep}
   */
  Changes(
      Handles handles,
      Index index,
      SegmentLog log,
      Buffers buffers,
      long flushBytes,
      Runnable wake) {
    this.handles = handles;
    this.index = index;
    this.log = log;
    this.buffers = buffers;
    this.flushBytes = flushBytes;
    this.wake = wake;
    this.number = log.settled().number();
  }

  /** What an appended group means for the index. */
  private interface Meaning {
    void into(Index.Update update) throws RocksDBException, StoreException;
  }

  /** Chunks without duplicates, of which those that are there already are passed over. */
  void write(RocksDB database, List<Chunk> chunks) throws RocksDBException, StoreException {
    ByteBuffer buffer = buffers.take();
    try {
      for (int from = 0; from < chunks.size(); ) {
        long seen = version;
        List<Chunk> some = group(chunks, from);
        from += some.size();
        List<@Nullable Location> there = index.locations(database, ids(some));
        Staging staging = new Staging(buffer.clear());
        for (int i = 0; i < some.size(); i++) {
          if (there.get(i) == null) {
            staging.add(Entry.Kind.CHUNK, some.get(i).id(), 0, some.get(i).bytes());
          }
        }
        if (!staging.isEmpty()) {
          write(database, staging, seen);
        }
      }
    } finally {
      buffers.give(buffer);
    }
  }

  private static List<Chunk> group(List<Chunk> chunks, int from) {
    long bytes = 0;
    int to = from;
    while (to < chunks.size() && bytes < Staging.GROUP_BYTES) {
      bytes += Entry.HEAD_BYTES + chunks.get(to).bytes().remaining();
      to++;
    }
    return chunks.subList(from, to);
  }

  private static List<ChunkId> ids(List<Chunk> chunks) {
    return chunks.stream().map(Chunk::id).toList();
  }

  private void write(RocksDB database, Staging staging, long seen)
      throws RocksDBException, StoreException {
    List<ChunkId> ids = staging.entries().stream().map(Entry::id).toList();
    order.lock();
    try {
      List<@Nullable Location> old =
          version == seen ? Collections.nCopies(ids.size(), null) : index.locations(database, ids);
      append(
          database,
          staging,
          number,
          update -> {
            for (int i = 0; i < ids.size(); i++) {
              update.put(ids.get(i), staging.entries().get(i).location(), old.get(i));
            }
          });
    } finally {
      order.unlock();
    }
    flushIfDue(database);
  }

  /** Copies of chunks, whose entries tell from where; counts for those that still lie there. */
  void move(RocksDB database, Staging staging) throws RocksDBException, StoreException {
    List<ChunkId> ids = staging.entries().stream().map(Entry::id).toList();
    order.lock();
    try {
      List<@Nullable Location> old = index.locations(database, ids);
      append(
          database,
          staging,
          number,
          update -> {
            for (int i = 0; i < ids.size(); i++) {
              Entry entry = staging.entries().get(i);
              Location was = old.get(i);
              if (was != null && was.place().number() == entry.argument()) {
                update.put(ids.get(i), entry.location(), was);
              }
            }
          });
    } finally {
      order.unlock();
    }
    flushIfDue(database);
  }

  /**
   * @param ids at most as many as an entry holds
   */
  void delete(RocksDB database, List<ChunkId> ids) throws RocksDBException, StoreException {
    order.lock();
    try {
      List<@Nullable Location> old = index.locations(database, ids);
      ByteBuffer body = ByteBuffer.allocate(ids.size() * ChunkId.BYTES);
      for (int i = 0; i < ids.size(); i++) {
        if (old.get(i) != null) {
          ids.get(i).write(body);
        }
      }
      if (!body.flip().hasRemaining()) {
        return;
      }
      append(
          database,
          Staging.one(Entry.Kind.DELETE, 0, body),
          number,
          update -> {
            for (int i = 0; i < ids.size(); i++) {
              Location was = old.get(i);
              if (was != null) {
                update.remove(ids.get(i), was);
              }
            }
          });
    } finally {
      order.unlock();
    }
    flushIfDue(database);
    wake.run();
  }

  /**
   * @return where the log ended after it; or a conflict
   */
  Committed commit(RocksDB database, RecordBatch batch) throws RocksDBException, StoreException {
    ByteBuffer body = CommitForm.encode(batch.changes());
    order.lock();
    try {
      CommitResult.Conflict conflict = conflict(database, batch);
      if (conflict != null) {
        return new Committed(conflict, log.end());
      }
      append(
          database,
          Staging.one(Entry.Kind.COMMIT, number + 1, body),
          number + 1,
          update -> update.change(batch.changes()));
      return new Committed(new CommitResult.Committed(), log.end());
    } finally {
      order.unlock();
    }
  }

  /**
   * @param result what became of the commit
   * @param end where the log ended after it
   */
  record Committed(CommitResult result, Place end) {}

  private CommitResult.@Nullable Conflict conflict(RocksDB database, RecordBatch batch)
      throws RocksDBException {
    for (RecordBatch.Condition condition : batch.conditions()) {
      byte[] found =
          handles.get(
              database, Family.of(condition.space()), handles.reading(), condition.key().toArray());
      Bytes expected = condition.value();
      if (!Arrays.equals(found, expected == null ? null : expected.toArray())) {
        return new CommitResult.Conflict(condition, Optional.ofNullable(found).map(Bytes::of));
      }
    }
    return null;
  }

  /** A change of the index alone. */
  void forget(RocksDB database, int segment) throws RocksDBException {
    order.lock();
    try (Index.Update update = index.update()) {
      update.forget(segment);
      update.apply(database, log.settled());
    } finally {
      order.unlock();
    }
  }

  private void append(RocksDB database, Staging staging, long newNumber, Meaning meaning)
      throws RocksDBException, StoreException {
    Place before = log.end();
    log.append(staging);
    try (Index.Update update = index.update()) {
      if (log.end().segment() != before.segment()) {
        update.ended(before.segment(), before.offset());
      }
      meaning.into(update);
      update.apply(database, new Mark(newNumber, log.end()));
    } catch (RocksDBException | StoreException | RuntimeException e) {
      log.undo(before, e);
      throw e;
    }
    number = newNumber;
    made++;
    version = made;
    sinceFlush += staging.bytes();
    log.settle(newNumber);
  }

  /** Lets the index write out what it knows when the log behind that has become long. */
  void flushIfDue(RocksDB database) throws RocksDBException {
    boolean due;
    order.lock();
    try {
      due = sinceFlush >= flushBytes;
      sinceFlush = due ? 0 : sinceFlush;
    } finally {
      order.unlock();
    }
    if (due) {
      try (FlushOptions options =
          new FlushOptions().setWaitForFlush(false).setAllowWriteStall(true)) {
        database.flush(options, handles.allFamilies());
      }
    }
    wake.run();
  }
}
