package io.deltabox.store.rocksdb;

import io.deltabox.store.StoreException;
import io.deltabox.store.StoreUnavailableException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The log that everything is written to first: segments, filled one after the other. The end is
 * moved by one thread at a time, under the lock of {@link Changes}; what is written becomes durable
 * outside of it, and one sync serves all who wait.
 */
final class SegmentLog {
  private final Segments segments;
  private final Watermark watermark;
  private final long segmentBytes;
  private final Object syncing = new Object();
  private final AtomicReference<@Nullable IOException> failure = new AtomicReference<>();

  /** Where the next entry is written. */
  private volatile Place end;

  /** What the index knows as well. */
  private volatile Mark settled;

  /** Changed under {@code syncing}. */
  private volatile Place durable;

  /** Guarded by {@code syncing}: the names of segments up to this one are durable. */
  private int named;

  /**
   * @param found where the log ends, of which nothing need be durable
   */
  SegmentLog(Segments segments, Watermark watermark, long segmentBytes, Mark found) {
    this.segments = segments;
    this.watermark = watermark;
    this.segmentBytes = segmentBytes;
    this.end = found.end();
    this.settled = found;
    this.durable = new Place(found.end().segment(), 0);
    this.named = found.end().segment() - 1;
  }

  Place end() {
    return end;
  }

  Mark settled() {
    return settled;
  }

  /** Bytes that a sync would have to write, about. */
  long unsynced() {
    Place from = durable;
    Place to = end;
    return to.segment() == from.segment()
        ? to.offset() - from.offset()
        : to.offset() + segmentBytes;
  }

  /** Writes entries behind all others; if that fails all is as it was. */
  void append(Staging staging) throws StoreException {
    requireSound();
    Place before = end;
    try {
      Place at = before;
      if (before.segment() == 0 || before.offset() >= segmentBytes) {
        at = new Place(before.segment() + 1, SegmentHead.BYTES);
        end = at;
        segments.make(new SegmentHead(at.segment(), before.offset()));
      }
      staging.place(at, durable);
      segments.with(
          at.segment(),
          file -> {
            file.write(staging.content(), file(staging));
            return true;
          });
      end = at.plus(staging.bytes());
    } catch (IOException e) {
      StoreException failed = Failures.of("write log failed: " + before, e);
      undo(before, failed);
      throw failed;
    }
  }

  private static long file(Staging staging) {
    return staging.entries().get(0).place().offset();
  }

  /** Takes back what was appended since, for which there was no room in the index. */
  void undo(Place before, Exception cause) {
    try {
      if (end.segment() != before.segment()) {
        segments.remove(end.segment());
      }
      end = before;
      if (before.segment() > 0) {
        segments.cut(before.segment(), before.offset());
      }
    } catch (IOException e) {
      cause.addSuppressed(e);
      failure.compareAndSet(null, e);
    }
  }

  /** The index knows all that was appended. */
  void settle(long number) {
    settled = new Mark(number, end);
  }

  /** Makes durable what was settled before some place. */
  void sync(Place place) throws StoreException {
    synchronized (syncing) {
      if (durable.compareTo(place) < 0) {
        sync();
      }
    }
  }

  /** Makes durable what was written before. */
  void sync() throws StoreException {
    synchronized (syncing) {
      requireSound();
      Mark now = settled;
      Place written = end;
      try {
        for (int number = Math.max(1, durable.segment()); number <= written.segment(); number++) {
          force(number, now.end().segment());
        }
        if (named < written.segment()) {
          segments.forceNames();
          named = written.segment();
        }
      } catch (IOException e) {
        failure.compareAndSet(null, e);
        throw Failures.of("make log durable failed: " + written, e);
      }
      watermark.set(now);
      durable = now.end();
    }
  }

  private void force(int number, int settledSegment) throws IOException {
    try {
      segments.force(number);
    } catch (NoSuchFileException e) {
      // One that was begun and taken back meanwhile.
      if (number <= settledSegment) {
        throw e;
      }
    }
  }

  /**
   * The index is about to write out what it knows, which must not outlive the log. Called on its
   * own threads, so nothing is thrown: a failure stops all changes instead.
   */
  void beforeIndex() {
    try {
      sync();
    } catch (StoreException | RuntimeException e) {
      failure.compareAndSet(null, new IOException(e));
    }
  }

  /** After a sync that failed nobody knows what of the log is on the disk. */
  private void requireSound() throws StoreException {
    IOException failed = failure.get();
    if (failed != null) {
      throw new StoreUnavailableException(
          "the log of the store could not be made durable before (close the store and open it"
              + " again): reason="
              + failed.getMessage(),
          failed);
    }
  }
}
