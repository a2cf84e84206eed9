package io.deltabox.store.rocksdb;

import io.deltabox.store.StoreClosedException;
import io.deltabox.store.StoreException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;

/**
 * The one way to walk over the database: over a range of one family, as it was when the walk began.
 * The end is the end only if the iterator says that it met no error.
 *
 * <p>What it stands on is copied, so that it can be asked for at any time. The gate of {@link
 * Handles} is taken first, then the monitor of this.
 */
final class RangeWalk implements AutoCloseable {
  private final Handles handles;
  private final Supplier<String> what;
  private final byte[] from;
  private final byte @Nullable [] to;
  private final List<AutoCloseable> owned;
  private final RocksIterator iterator;
  private boolean started;
  private boolean ended;
  private boolean freed;
  private byte @Nullable [] key;
  private byte @Nullable [] value;

  private RangeWalk(
      Handles handles,
      Supplier<String> what,
      byte[] from,
      byte @Nullable [] to,
      RocksIterator iterator,
      List<AutoCloseable> owned) {
    this.handles = handles;
    this.what = what;
    this.from = from;
    this.to = to;
    this.iterator = iterator;
    this.owned = owned;
  }

  /**
   * @param what what is tried, for messages
   * @param to null for no bound
   */
  static RangeWalk open(
      Handles handles, Supplier<String> what, Family family, byte[] from, byte @Nullable [] to)
      throws StoreException {
    return handles.call(
        what,
        database -> {
          ReadOptions options = new ReadOptions();
          List<AutoCloseable> owned = new ArrayList<>(List.of(options));
          if (to != null) {
            Slice bound = new Slice(to);
            owned.add(bound);
            options.setIterateUpperBound(bound);
          }
          RocksIterator iterator =
              handles.withTail(family, database.newIterator(handles.family(family), options));
          return register(new RangeWalk(handles, what, from, to, iterator, owned));
        });
  }

  private static RangeWalk register(RangeWalk walk) {
    walk.handles.add(walk);
    return walk;
  }

  /** Moves on; false at the end. */
  boolean next() throws StoreException {
    return handles.call(what, database -> step());
  }

  private synchronized boolean step() throws RocksDBException, StoreException {
    if (freed) {
      throw new StoreClosedException("the cursor is closed");
    }
    key = null;
    value = null;
    if (ended) {
      return false;
    }
    if (started) {
      iterator.next();
    } else {
      iterator.seek(from);
      started = true;
    }
    if (iterator.isValid() && (to == null || Arrays.compareUnsigned(iterator.key(), to) < 0)) {
      key = iterator.key();
      value = iterator.value();
      return true;
    }
    iterator.status();
    ended = true;
    return false;
  }

  synchronized byte[] key() {
    return standing(key);
  }

  synchronized byte[] value() {
    return standing(value);
  }

  private static byte[] standing(byte @Nullable [] what) {
    if (what == null) {
      throw new IllegalStateException("the cursor stands nowhere");
    }
    return what;
  }

  /**
   * Frees what is native; with the store open, or by who closes it. Where the cursor stands stays:
   * its user may be between a step and a look.
   */
  synchronized void free() {
    if (freed) {
      return;
    }
    freed = true;
    iterator.close();
    for (AutoCloseable one : owned) {
      try {
        one.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }

  @Override
  public void close() {
    try {
      handles.call(
          what,
          database -> {
            handles.remove(this);
            free();
            return true;
          });
    } catch (StoreException e) {
      // The store is closed, and has freed this before.
    }
    forget();
  }

  private synchronized void forget() {
    key = null;
    value = null;
  }
}
