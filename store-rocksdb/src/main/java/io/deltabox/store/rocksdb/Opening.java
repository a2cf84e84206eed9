package io.deltabox.store.rocksdb;

import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreInUseException;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;

/**
 * Opens a store whose directory is prepared. A store without a watermark has never been whole, so
 * its database may be made; in one that has been, what is missing is a loss.
 */
final class Opening {
  /** Half of one is copied to give its room back, and one is the most that waits for that. */
  private static final long SEGMENT_BYTES_MAX = 256 << 20;

  private static final long SEGMENT_BYTES_MIN = 1 << 20;

  private final StoreDirectory directory;
  private final OpenOptions options;
  private final Optional<Mark> promised;
  private final FlushGuard guard = new FlushGuard();

  Opening(StoreDirectory directory, OpenOptions options, Optional<Mark> promised) {
    this.directory = directory;
    this.options = options;
    this.promised = promised;
  }

  HotStore open() throws StoreException {
    Handles handles = database();
    try {
      return check(handles);
    } catch (StoreException | RuntimeException e) {
      try {
        handles.close(database -> {});
      } catch (StoreException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  private Handles database() throws StoreException {
    Settings settings = new Settings(options.memoryBytes(), promised.isEmpty(), guard);
    try {
      return Handles.open(directory.database(), options.readOnly(), settings);
    } catch (StoreInUseException e) {
      throw new StoreInUseException(
          "another process has the store open: directory="
              + directory
              + " pid="
              + directory.owner()
              + " (end it, or use another directory)",
          e);
    }
  }

  private HotStore check(Handles handles) throws StoreException {
    Segments segments = segments();
    Index index = Index.load(handles);
    Mark found = replay(handles, segments, index);
    Watermark watermark = watermark();
    try {
      long segmentBytes =
          Math.min(SEGMENT_BYTES_MAX, Math.max(SEGMENT_BYTES_MIN, options.memoryBytes() / 2));
      SegmentLog log = new SegmentLog(segments, watermark, segmentBytes, found);
      guard.before(log::beforeIndex);
      if (!options.readOnly()) {
        directory.setOwner();
        log.sync();
        if (promised.isEmpty()) {
          watermark.sync();
          directory.sync();
        }
      }
      return new RocksHotStore(
          directory.path(), handles, segments, index, log, watermark, segmentBytes);
    } catch (StoreException | RuntimeException e) {
      try {
        watermark.close();
      } catch (IOException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  private Segments segments() throws StoreException {
    try {
      if (promised.isEmpty()) {
        Files.createDirectories(directory.segments());
      }
      return new Segments(directory.segments(), options.readOnly());
    } catch (IOException e) {
      throw Failures.of("make directory failed: directory=" + directory.segments(), e);
    }
  }

  private Mark replay(Handles handles, Segments segments, Index index) throws StoreException {
    Replay replay = new Replay(segments, index, promised.orElse(Mark.NONE));
    return handles.call(
        () -> "read log failed: directory=" + directory,
        database -> {
          try {
            if (!options.readOnly()) {
              // The index may be written out meanwhile, and must not know more than is durable.
              for (int number : segments.numbers().tailSet(index.mark(database).end().segment())) {
                segments.force(number);
              }
            }
            Mark found = replay.run(database);
            if (!options.readOnly()) {
              Replay.cut(segments, index, found.end());
            }
            return found;
          } catch (IOException e) {
            throw Failures.of("read log failed: directory=" + segments, e);
          }
        });
  }

  private Watermark watermark() throws StoreException {
    try {
      return Watermark.open(directory.watermark(), options.readOnly());
    } catch (IOException e) {
      throw Failures.of("open watermark failed: file=" + directory.watermark(), e);
    }
  }
}
