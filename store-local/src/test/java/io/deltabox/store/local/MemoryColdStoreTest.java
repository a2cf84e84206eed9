package io.deltabox.store.local;

import io.deltabox.store.testkit.ColdStoreContract;
import java.net.URI;

final class MemoryColdStoreTest extends ColdStoreContract {

  @Override
  protected URI newAddress() {
    return URI.create("memory:" + System.nanoTime());
  }
}
