package io.deltabox.store.rocksdb;

import io.deltabox.store.testkit.RecordStoreContract;
import java.net.URI;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

final class RocksRecordStoreTest extends RecordStoreContract {
  @TempDir Path directory;
  private int made;

  @Override
  protected URI newAddress() {
    return URI.create("rocksdb:" + directory.resolve("store" + made++));
  }
}
