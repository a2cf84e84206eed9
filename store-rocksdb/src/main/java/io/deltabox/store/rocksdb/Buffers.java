package io.deltabox.store.rocksdb;

import java.nio.ByteBuffer;
import java.util.concurrent.ArrayBlockingQueue;

/** Buffers outside of the heap, kept for the next who needs one. */
final class Buffers {
  /** A group of entries of 1 MiB, and one more that begins below that. */
  static final int BYTES = 2 << 20;

  /** 16 MiB at most are kept; more threads than that make their own. */
  private static final int KEPT = 8;

  private final ArrayBlockingQueue<ByteBuffer> free = new ArrayBlockingQueue<>(KEPT);

  ByteBuffer take() {
    ByteBuffer buffer = free.poll();
    return buffer == null ? ByteBuffer.allocateDirect(BYTES) : buffer.clear();
  }

  /** The caller must not use it any more. */
  void give(ByteBuffer buffer) {
    free.offer(buffer);
  }

  long bytes() {
    return (long) free.size() * BYTES;
  }
}
