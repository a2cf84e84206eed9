package io.deltabox.snapshot.format;

import io.deltabox.store.ChunkId;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import java.nio.ByteBuffer;

/** Gives the chunks that others were encoded against. */
@FunctionalInterface
public interface BaseSource {
  /** For chunks that have no bases, as bases themselves must not. */
  BaseSource NONE =
      base -> {
        throw new StoreCorruptException(
            "a chunk that others are encoded against is itself encoded against one: base=" + base);
      };

  /**
   * The plain bytes of a chunk, which are used before the next call only. The codec that asks may
   * be used to decode it.
   */
  ByteBuffer plain(ChunkId base) throws StoreException;
}
