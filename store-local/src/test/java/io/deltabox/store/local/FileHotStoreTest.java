package io.deltabox.store.local;

import io.deltabox.store.testkit.HotStoreContract;
import java.net.URI;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

final class FileHotStoreTest extends HotStoreContract {
  @TempDir Path directory;
  private int made;

  @Override
  protected URI newAddress() {
    return URI.create("file:" + directory.resolve("store" + made++));
  }
}
