package io.deltabox.store.rocksdb;

import io.deltabox.store.StoreClosedException;
import io.deltabox.store.StoreException;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The one thread of a store: sends to the disk what was written, so that a commit has little left
 * to wait for, and gives back the room of chunks that were deleted. It does one small thing at a
 * time.
 */
final class Upkeep {
  private static final System.Logger LOG = System.getLogger(Upkeep.class.getName());

  /** More than a commit of a delta usually has to write, and some ten milliseconds of a disk. */
  private static final long UNSYNCED_BYTES = 16 << 20;

  private final Handles handles;
  private final SegmentLog log;
  private final Rewriter rewriter;
  private final Thread thread;

  /** Segments with something broken in them, and what could not be done now. */
  private final Set<Integer> skipped = new HashSet<>();

  private boolean woken;
  private boolean ended;

  Upkeep(Handles handles, SegmentLog log, Rewriter rewriter) {
    this.handles = handles;
    this.log = log;
    this.rewriter = rewriter;
    this.thread = new Thread(this::run, "deltabox-store-upkeep");
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  /** There may be something to do. */
  synchronized void wake() {
    if (!woken) {
      woken = true;
      notifyAll();
    }
  }

  private synchronized boolean await() throws InterruptedException {
    while (!woken && !ended) {
      wait();
    }
    woken = false;
    return !ended;
  }

  private void run() {
    try {
      while (await()) {
        while (step()) {}
      }
    } catch (StoreClosedException | InterruptedException e) {
      // The end.
    }
  }

  private boolean step() throws StoreClosedException {
    Integer candidate = null;
    try {
      if (log.unsynced() > UNSYNCED_BYTES) {
        handles.change(
            () -> "make log durable failed",
            database -> {
              log.sync();
              return true;
            });
      }
      candidate = rewriter.candidate(skipped);
      return candidate != null && rewrite(candidate);
    } catch (StoreClosedException e) {
      throw e;
    } catch (StoreException | RuntimeException e) {
      skip(candidate, e);
      return false;
    }
  }

  private boolean rewrite(int segment) throws StoreException {
    if (!rewriter.rewrite(segment)) {
      skipped.add(segment);
    }
    return true;
  }

  private void skip(@Nullable Integer segment, Exception e) {
    LOG.log(System.Logger.Level.DEBUG, "room is not given back now: segment=" + segment, e);
  }

  /** Ends after what it is at; the store is closed by then, or it stops at the next small thing. */
  void end() {
    synchronized (this) {
      ended = true;
      notifyAll();
    }
    boolean interrupted = false;
    while (thread.isAlive() && Thread.currentThread() != thread) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
