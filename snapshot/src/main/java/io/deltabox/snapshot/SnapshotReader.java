package io.deltabox.snapshot;

import io.deltabox.store.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Gives back what a snapshot holds, whole, not what it changed. Every byte is verified before it is
 * handed out: a chunk that is missing or damaged is an error that names it and the snapshot, never
 * zeros. Buffers and channels handed to a visitor are borrowed for its call. Thread-safe; holds
 * nothing that must be closed. What a visitor throws is passed on.
 *
 * <p>All methods throw {@link io.deltabox.store.StoreCorruptException} for damage and {@link
 * io.deltabox.store.StoreMissingException} if the snapshot was deleted meanwhile and swept.
 */
public interface SnapshotReader {
  /** Most pages handed over in one call: 1 MiB of bytes. */
  int PAGES_MAX = 256;

  /** Receives pages. */
  @FunctionalInterface
  interface PageVisitor {
    /**
     * @param ranges ascending, at most {@link #PAGES_MAX} pages
     * @param bytes of all ranges in order, read-only
     */
    void pages(List<PageRange> ranges, ByteBuffer bytes) throws IOException;
  }

  /** Receives files. */
  @FunctionalInterface
  interface FileVisitor {
    /**
     * @param content bytes of the extents in order; null if there are none. Need not be read, or
     *     not to its end
     */
    void file(FileEntry file, @Nullable ReadableByteChannel content) throws IOException;
  }

  /** Receives records. */
  @FunctionalInterface
  interface RecordVisitor {
    /**
     * @param bytes read-only
     */
    void record(int kind, ByteBuffer bytes) throws IOException;
  }

  SnapshotInfo info();

  /** The maps that have pages. */
  Set<String> maps() throws StoreException;

  /**
   * Pages of a map that have content and lie in a range, ascending; those of zeros are given as
   * such. A map that is not there has no pages.
   */
  void pages(String map, PageRange range, PageVisitor to) throws IOException;

  /** All files, by ascending key. */
  void files(FileVisitor to) throws IOException;

  /** All records, by ascending kind, those of one kind in the order they were written. */
  void records(RecordVisitor to) throws IOException;

  /** A hint that all of it is about to be read: loads its tables; never fails. */
  void prefetch();
}
