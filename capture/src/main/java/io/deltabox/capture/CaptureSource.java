package io.deltabox.capture;

import io.deltabox.capture.record.RecordKind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Gives snapshots back whole: not what they changed but all they hold. The reverse of {@link
 * CaptureSink}. Buffers and channels handed to a visitor are borrowed for its call. Thread-safe.
 *
 * <p>Every method throws an {@link IOException} for a snapshot it does not have or cannot read
 * whole; it never gives zeros for what is missing.
 */
public interface CaptureSource {
  /** Receives records, in no particular order. */
  @FunctionalInterface
  interface RecordVisitor {
    void record(RecordKind kind, ByteBuffer bytes) throws IOException;
  }

  /** Receives pages, ascending, as {@link CaptureSink#pages} takes them. */
  @FunctionalInterface
  interface PageVisitor {
    void pages(List<PageRun> runs, ByteBuffer bytes) throws IOException;
  }

  /** Receives files; content is null where there is none. */
  @FunctionalInterface
  interface FileVisitor {
    void file(CapturedFile file, @Nullable ReadableByteChannel content) throws IOException;
  }

  /** A hint that all of a snapshot is about to be read; never fails. */
  void prefetch(UUID snapshot);

  void records(UUID snapshot, RecordVisitor to) throws IOException;

  /** Private pages of a process that have content and lie in {@code range}. */
  void pages(UUID snapshot, int process, PageRun range, PageVisitor to) throws IOException;

  /** Pages of a shared memory object that have content and lie in {@code range}. */
  void shared(UUID snapshot, ObjectId object, PageRun range, PageVisitor to) throws IOException;

  void files(UUID snapshot, FileVisitor to) throws IOException;
}
