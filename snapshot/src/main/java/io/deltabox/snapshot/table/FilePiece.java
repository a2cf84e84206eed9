package io.deltabox.snapshot.table;

import io.deltabox.store.ChunkId;

/**
 * A piece of the content of a file.
 *
 * @param chunk has it
 * @param bytes its length, at least 1
 */
public record FilePiece(ChunkId chunk, int bytes) {
  public FilePiece {
    if (bytes < 1) {
      throw new IllegalArgumentException("impossible piece: bytes=" + bytes);
    }
  }
}
