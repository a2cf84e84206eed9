package io.deltabox.store.local;

import io.deltabox.store.testkit.ChunkStoreContract;
import java.net.URI;

final class MemoryChunkStoreTest extends ChunkStoreContract {

  @Override
  protected URI newAddress() {
    return URI.create("memory:" + System.nanoTime());
  }
}
