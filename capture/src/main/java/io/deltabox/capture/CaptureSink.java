package io.deltabox.capture;

import io.deltabox.capture.record.RecordKind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Takes snapshots, one at a time, each as what it changes against its parent. The seam between the
 * capture, which knows no store, and whatever keeps snapshots.
 *
 * <p>Between {@link #begin} and {@link #commit} or {@link #abort} calls may come in any order.
 * Memory and files are deltas: what is not mentioned is as in the parent. Records are complete: a
 * process or shared object without a record in this snapshot does not exist in it, and neither does
 * its memory. All buffers and channels are borrowed for the call. Called by one thread at a time,
 * while the sandbox runs.
 *
 * <p>After a failure the caller aborts. A snapshot is visible only once committed.
 */
public interface CaptureSink {
  /** Whether a snapshot can be the parent of another one here. */
  boolean knows(UUID snapshot);

  /**
   * @param parent a snapshot this sink {@link #knows}; null: what follows is complete
   */
  void begin(UUID snapshot, @Nullable UUID parent) throws IOException;

  /**
   * Private pages of a process that differ from the parent's.
   *
   * @param process number inside the sandbox
   * @param runs ascending; at most {@value #PAGES_MAX} pages in one call
   * @param bytes of all runs in order
   * @param before what the parent has at the same pages, in the same order: a help for who stores
   *     differences; null if the parent has them not
   */
  void pages(int process, List<PageRun> runs, ByteBuffer bytes, @Nullable ByteBuffer before)
      throws IOException;

  /** Private pages that have no content of their own any more. */
  void dropped(int process, List<PageRun> runs) throws IOException;

  /** The same as {@link #pages} for a shared memory object; offsets in it. */
  void shared(ObjectId object, List<PageRun> runs, ByteBuffer bytes, @Nullable ByteBuffer before)
      throws IOException;

  /** The same as {@link #dropped} for a shared memory object. */
  void sharedDropped(ObjectId object, List<PageRun> runs) throws IOException;

  /**
   * A file or directory that is new or differs from the parent's in anything.
   *
   * @param content bytes of the extents in order; null: none, or that of the parent
   */
  void file(CapturedFile file, @Nullable ReadableByteChannel content) throws IOException;

  /** A file that the parent has and this snapshot has not; or that is as in the base again. */
  void fileDropped(ByteBuffer key) throws IOException;

  /** A record, with its kind and version in its first bytes. */
  void record(RecordKind kind, ByteBuffer bytes) throws IOException;

  /** The snapshot is whole; makes it visible. */
  void commit() throws IOException;

  /** Forgets what came since {@link #begin}; idempotent. */
  void abort();

  /** Most pages in one call: 1 MiB of bytes. */
  int PAGES_MAX = 256;
}
