package io.deltabox.store;

import java.nio.ByteBuffer;

/**
 * A chunk to be written: what remains in the buffer, stored as it is.
 *
 * @param id its name
 * @param bytes its stored form, 1 to {@link ChunkStore#BYTES_MAX} bytes; borrowed
 */
public record Chunk(ChunkId id, ByteBuffer bytes) {
  public Chunk {
    if (!bytes.hasRemaining() || bytes.remaining() > ChunkStore.BYTES_MAX) {
      throw new IllegalArgumentException(
          "chunk of impossible length: id=" + id + " bytes=" + bytes.remaining());
    }
  }
}
