package io.deltabox.store.rocksdb;

import io.deltabox.store.StoreException;
import io.deltabox.store.StoreUnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.rocksdb.NativeLibraryLoader;
import org.rocksdb.RocksDB;

/**
 * Loads the database's code, once per process. It is unpacked from the jar into a directory of its
 * own under {@code java.io.tmpdir} and removed again as soon as it is mapped: a process that is
 * killed leaves no 17 MB behind.
 */
final class Library {
  private static boolean loaded;

  private Library() {}

  static synchronized void load() throws StoreException {
    if (loaded) {
      return;
    }
    Path parent = Path.of(System.getProperty("java.io.tmpdir", "/tmp"));
    try {
      Path directory = Files.createTempDirectory(parent, "deltabox-rocksdb");
      try {
        NativeLibraryLoader.getInstance().loadLibrary(directory.toString());
      } finally {
        remove(directory);
      }
      RocksDB.loadLibrary();
      loaded = true;
    } catch (IOException | RuntimeException | LinkageError e) {
      throw new StoreUnavailableException(
          "load the database's code failed: it is unpacked into a directory that must be writable,"
              + " have 20 MB of room and not be mounted noexec (say -Djava.io.tmpdir=DIRECTORY for"
              + " another one): directory="
              + parent
              + " reason="
              + e.getMessage(),
          e);
    }
  }

  private static void remove(Path directory) throws IOException {
    try (var files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }
}
