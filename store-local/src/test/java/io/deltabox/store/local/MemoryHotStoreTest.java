package io.deltabox.store.local;

import io.deltabox.store.testkit.HotStoreContract;
import java.net.URI;

final class MemoryHotStoreTest extends HotStoreContract {

  @Override
  protected URI newAddress() {
    return URI.create("memory:" + System.nanoTime());
  }
}
