package io.deltabox.store.rocksdb;

import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreMissingException;
import io.deltabox.store.StoreProvider;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The hot store in RocksDB: {@code rocksdb:/DIRECTORY}, for one process at a time, on a local file
 * system. Keeps what {@link io.deltabox.store.Durability#SYNC} promises through a kill and a loss
 * of power, and refuses to open when it finds that it has not.
 *
 * <p>Opened for reading it shows the moment of opening. A process that writes meanwhile removes
 * files that it no longer needs; a reader that still does is told that they are gone, and must open
 * again.
 *
 * <p>With the disk full every change is refused and reading goes on; some seconds after there is
 * room again, for as much as is in the log only, changes work again.
 */
public final class RocksProvider implements StoreProvider {
  @Override
  public String scheme() {
    return "rocksdb";
  }

  @Override
  public HotStore openHot(URI address, OpenOptions options) throws StoreException {
    StoreDirectory directory = new StoreDirectory(path(address));
    directory.prepare(options.access());
    Optional<Mark> promised = Watermark.read(directory.watermark());
    if (promised.isEmpty() && options.readOnly()) {
      throw new StoreMissingException("no store in this directory: " + directory);
    }
    Library.load();
    return new Opening(directory, options, promised).open();
  }

  private static Path path(URI address) {
    String path = address.getPath();
    if (path == null || !path.startsWith("/")) {
      throw new IllegalArgumentException(
          "not an absolute path: " + address + " (say rocksdb:/DIRECTORY)");
    }
    return Path.of(path).normalize();
  }
}
