package io.deltabox.snapshot.table;

import io.deltabox.store.ChunkId;
import java.util.List;

/**
 * Names a stored stream - a table, or all records - by the chunks it is cut into.
 *
 * @param bytes of all chunks together, plain
 */
public record StreamRef(List<ChunkId> chunks, long bytes) {
  /** Of a stream without bytes. */
  public static final StreamRef EMPTY = new StreamRef(List.of(), 0);

  public StreamRef {
    chunks = List.copyOf(chunks);
    if (bytes < chunks.size() || chunks.isEmpty() != (bytes == 0)) {
      throw new IllegalArgumentException(
          "impossible stream: chunks=" + chunks.size() + " bytes=" + bytes);
    }
  }

  public boolean isEmpty() {
    return bytes == 0;
  }
}
