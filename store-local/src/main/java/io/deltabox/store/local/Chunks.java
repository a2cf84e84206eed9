package io.deltabox.store.local;

import io.deltabox.store.Chunk;
import io.deltabox.store.ChunkStore;
import java.util.Collection;

/** What all chunk stores check. */
final class Chunks {
  private Chunks() {}

  static void checkBytes(Collection<Chunk> chunks) {
    long bytes = 0;
    for (Chunk chunk : chunks) {
      bytes += chunk.bytes().remaining();
    }
    if (bytes > ChunkStore.WRITE_BYTES_MAX) {
      throw new IllegalArgumentException(
          "too much to write at once: bytes=" + bytes + " limit=" + ChunkStore.WRITE_BYTES_MAX);
    }
  }
}
