package io.deltabox.store.local;

import io.deltabox.store.testkit.HotStoreModelTest;
import java.net.URI;

final class MemoryModelTest extends HotStoreModelTest {

  @Override
  protected URI newAddress() {
    return URI.create("memory:" + System.nanoTime());
  }
}
