package io.deltabox.store.rocksdb;

import io.deltabox.store.StoreClosedException;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreFormatException;
import io.deltabox.store.StoreInUseException;
import io.deltabox.store.StoreReadOnlyException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.rocksdb.AbstractWriteBatch;
import org.rocksdb.Cache;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteBatchWithIndex;
import org.rocksdb.WriteOptions;

/**
 * Everything native of an open database, and the only way to it: any number of calls are inside, or
 * the one that closes. A handle used after it was closed would end the process, so nothing native
 * leaves a call except cursors, which are registered here.
 *
 * <p>Closed in this order: cursors, read and write options, the families' handles, the database,
 * and what it was set up with. The gate is taken before every other lock of the package.
 */
final class Handles {
  /** Work on the open database. */
  @FunctionalInterface
  interface Call<T> {
    T run(RocksDB database) throws RocksDBException, StoreException;
  }

  /** The last work of all. */
  @FunctionalInterface
  interface Last {
    void run(RocksDB database) throws RocksDBException, StoreException;
  }

  private final ReentrantReadWriteLock gate = new ReentrantReadWriteLock();
  private final Path directory;
  private final boolean readOnly;
  private final Settings settings;
  private final RocksDB database;
  private final Map<Family, ColumnFamilyHandle> families = new EnumMap<>(Family.class);
  private final ReadOptions reading = new ReadOptions();
  private final WriteOptions writing = new WriteOptions().setDisableWAL(true);

  /** Of a store opened for reading: what the log holds and the database does not. */
  private final @Nullable WriteBatchWithIndex tail;

  private final Set<RangeWalk> walks = ConcurrentHashMap.newKeySet();
  private boolean closed;

  private Handles(
      Path directory,
      boolean readOnly,
      Settings settings,
      RocksDB database,
      List<ColumnFamilyHandle> handles) {
    this.directory = directory;
    this.readOnly = readOnly;
    this.settings = settings;
    this.database = database;
    this.tail = readOnly ? new WriteBatchWithIndex(true) : null;
    Iterator<ColumnFamilyHandle> next = handles.iterator();
    for (Family family : Family.values()) {
      families.put(family, next.next());
    }
  }

  /** Takes the settings over. */
  static Handles open(Path directory, boolean readOnly, Settings settings) throws StoreException {
    List<ColumnFamilyHandle> handles = new ArrayList<>();
    try {
      String path = directory.toString();
      RocksDB database =
          readOnly
              ? RocksDB.openReadOnly(settings.database(), path, settings.families(), handles)
              : RocksDB.open(settings.database(), path, settings.families(), handles);
      return new Handles(directory, readOnly, settings, database, handles);
    } catch (RocksDBException e) {
      settings.close();
      throw cannotOpen(directory, e);
    } catch (RuntimeException | Error e) {
      settings.close();
      throw e;
    }
  }

  private static StoreException cannotOpen(Path directory, RocksDBException e) {
    String what = "open database failed: directory=" + directory;
    String reason = String.valueOf(e.getMessage());
    if (reason.contains("lock hold by current process") || reason.contains("While lock file")) {
      return new StoreInUseException(what + ": " + reason, e);
    }
    if (reason.contains("Column families not opened")
        || reason.contains("Column family not found")) {
      return new StoreFormatException(what + " (written by another version): " + reason, e);
    }
    if (reason.contains("does not exist (create_if_missing is false)")
        || (e.getStatus() != null && e.getStatus().getCode() == Status.Code.NotFound)) {
      return new StoreCorruptException(what + " (the database of the store is gone)", e);
    }
    return Failures.of(what, e);
  }

  /** Runs a call while the store is open; its failures become ours, with this text before them. */
  <T> T call(Supplier<String> what, Call<T> call) throws StoreException {
    gate.readLock().lock();
    try {
      check();
      return call.run(database);
    } catch (RocksDBException e) {
      throw Failures.of(what.get(), e);
    } finally {
      gate.readLock().unlock();
    }
  }

  /** The same for what changes the store. */
  <T> T change(Supplier<String> what, Call<T> call) throws StoreException {
    return call(
        what,
        open -> {
          if (readOnly) {
            throw new StoreReadOnlyException(
                "the store is open for reading only: directory=" + directory);
          }
          return call.run(open);
        });
  }

  /** Fails if the store is closed. */
  void requireOpen() throws StoreException {
    call(() -> "", database -> true);
  }

  private void check() throws StoreException {
    if (closed) {
      throw new StoreClosedException("the store is closed: directory=" + directory);
    }
  }

  boolean readOnly() {
    return readOnly;
  }

  // What follows is used inside a call.

  ColumnFamilyHandle family(Family family) {
    ColumnFamilyHandle handle = families.get(family);
    if (handle == null) {
      throw new IllegalStateException("no such family: " + family);
    }
    return handle;
  }

  List<ColumnFamilyHandle> allFamilies() {
    return List.copyOf(families.values());
  }

  ReadOptions reading() {
    return reading;
  }

  byte @Nullable [] get(RocksDB open, Family family, ReadOptions options, byte[] key)
      throws RocksDBException {
    return tail == null
        ? open.get(family(family), options, key)
        : tail.getFromBatchAndDB(open, family(family), options, key);
  }

  /** Takes the iterator of the database over. */
  RocksIterator withTail(Family family, RocksIterator iterator) {
    return tail == null ? iterator : tail.newIteratorWithBase(family(family), iterator);
  }

  boolean hasTail() {
    return tail != null;
  }

  /** For changes: to be written, or of a store opened for reading the tail itself. */
  AbstractWriteBatch newBatch() {
    return tail == null ? new WriteBatch() : tail;
  }

  void doneWith(AbstractWriteBatch batch) {
    if (batch != tail) {
      batch.close();
    }
  }

  /** Without a log. */
  WriteOptions writing() {
    return writing;
  }

  Cache cache() {
    return settings.cache();
  }

  void add(RangeWalk walk) {
    walks.add(walk);
  }

  void remove(RangeWalk walk) {
    walks.remove(walk);
  }

  // Until here.

  /**
   * Shuts for good, after the calls that are running; the first caller's work is done with nobody
   * else inside.
   */
  void close(Last last) throws StoreException {
    if (gate.getReadHoldCount() > 0) {
      throw new IllegalStateException("the store cannot be closed by what it calls");
    }
    gate.writeLock().lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      StoreException failure = run(last);
      try {
        free();
      } catch (StoreException e) {
        if (failure == null) {
          throw e;
        }
        failure.addSuppressed(e);
      }
      if (failure != null) {
        throw failure;
      }
    } finally {
      gate.writeLock().unlock();
    }
  }

  private @Nullable StoreException run(Last last) {
    try {
      last.run(database);
      return null;
    } catch (RocksDBException e) {
      return Failures.of("make store durable failed: directory=" + directory, e);
    } catch (StoreException e) {
      return e;
    }
  }

  private void free() throws StoreException {
    walks.forEach(RangeWalk::free);
    walks.clear();
    reading.close();
    writing.close();
    if (tail != null) {
      tail.close();
    }
    families.values().forEach(ColumnFamilyHandle::close);
    try {
      database.closeE();
    } catch (RocksDBException e) {
      throw Failures.of("close database failed: directory=" + directory, e);
    } finally {
      database.close();
      settings.close();
    }
  }
}
