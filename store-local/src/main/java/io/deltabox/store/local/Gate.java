package io.deltabox.store.local;

import io.deltabox.store.StoreClosedException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreReadOnlyException;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Whether a store is open, and who is inside: any number of calls, or the one that closes it.
 * Closes after the calls that are running.
 */
final class Gate {
  /** Work that a store does while it is open. */
  @FunctionalInterface
  interface Call<T> {
    T run() throws StoreException;
  }

  /** The last work of a store. */
  @FunctionalInterface
  interface Last {
    void run() throws StoreException;
  }

  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private final String what;
  private final boolean readOnly;
  private boolean closed;

  Gate(String what, boolean readOnly) {
    this.what = what;
    this.readOnly = readOnly;
  }

  <T> T pass(Call<T> call) throws StoreException {
    lock.readLock().lock();
    try {
      if (closed) {
        throw new StoreClosedException("the store is closed: " + what);
      }
      return call.run();
    } finally {
      lock.readLock().unlock();
    }
  }

  <T> T passToChange(Call<T> call) throws StoreException {
    return pass(
        () -> {
          if (readOnly) {
            throw new StoreReadOnlyException("the store is open for reading only: " + what);
          }
          return call.run();
        });
  }

  /** Shuts for good; the first caller's work is done with nobody inside. */
  void close(Last last) throws StoreException {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        last.run();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }
}
