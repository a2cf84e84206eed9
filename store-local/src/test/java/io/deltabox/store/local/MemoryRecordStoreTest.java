package io.deltabox.store.local;

import io.deltabox.store.testkit.RecordStoreContract;
import java.net.URI;

final class MemoryRecordStoreTest extends RecordStoreContract {

  @Override
  protected URI newAddress() {
    return URI.create("memory:" + System.nanoTime());
  }
}
