package io.deltabox.store.rocksdb;

import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreInUseException;
import java.io.IOException;
import java.util.OptionalLong;

/**
 * Opens a store whose directory is prepared. A store without a watermark has never been whole, so
 * its database may be made; in one that has been, what is missing is a loss.
 */
final class Opening {
  private final StoreDirectory directory;
  private final OpenOptions options;
  private final OptionalLong promised;

  Opening(StoreDirectory directory, OpenOptions options, OptionalLong promised) {
    this.directory = directory;
    this.options = options;
    this.promised = promised;
  }

  HotStore open() throws StoreException {
    Handles handles = database();
    try {
      return check(handles);
    } catch (StoreException | RuntimeException e) {
      try {
        handles.close(database -> {});
      } catch (StoreException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  private Handles database() throws StoreException {
    Settings settings = new Settings(options.memoryBytes(), promised.isEmpty());
    try {
      return Handles.open(directory.database(), options.readOnly(), settings);
    } catch (StoreInUseException e) {
      throw new StoreInUseException(
          "another process has the store open: directory="
              + directory
              + " pid="
              + directory.owner()
              + " (end it, or use another directory)",
          e);
    }
  }

  private HotStore check(Handles handles) throws StoreException {
    long newest = Commits.newest(handles);
    if (newest < promised.orElse(0)) {
      throw new StoreCorruptException(
          "commits that were durable are gone, as the log of the database is damaged: directory="
              + directory
              + " newest="
              + newest
              + " expected="
              + promised.orElse(0)
              + " (use a copy; to go on with what is left, remove "
              + directory.watermark()
              + ")");
    }
    Verifier verifier = new Verifier(handles, directory.database());
    if (!options.readOnly()) {
      verifier.requireFiles();
    }
    Watermark watermark = watermark();
    try {
      Commits commits = new Commits(handles, watermark, newest);
      if (!options.readOnly()) {
        take(handles, commits);
      }
      return new RocksHotStore(directory.database(), handles, commits, watermark, verifier);
    } catch (StoreException | RuntimeException e) {
      try {
        watermark.close();
      } catch (IOException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  private Watermark watermark() throws StoreException {
    try {
      return Watermark.open(directory.watermark(), options.readOnly());
    } catch (IOException e) {
      throw Failures.of("open watermark failed: file=" + directory.watermark(), e);
    }
  }

  /** Says who has it; makes a new store whole. */
  private void take(Handles handles, Commits commits) throws StoreException {
    directory.setOwner();
    if (promised.isEmpty()) {
      handles.call(
          () -> "make store failed: directory=" + directory,
          database -> {
            commits.sync(database);
            return true;
          });
      directory.sync();
    }
  }
}
