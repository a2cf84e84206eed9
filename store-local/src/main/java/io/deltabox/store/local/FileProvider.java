package io.deltabox.store.local;

import io.deltabox.store.ColdStore;
import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreFormatException;
import io.deltabox.store.StoreMissingException;
import io.deltabox.store.StoreProvider;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Stores in plain files: {@code file:/DIRECTORY}. A hot store keeps all records in memory and every
 * chunk in a file of its own. A cold store may be on a file system that many machines mount, if
 * that keeps hard links atomic.
 */
public final class FileProvider implements StoreProvider {
  private static final String FORMAT = "format";
  private static final String VERSION = " 1\n";

  /** What a directory is a store of; the first line of its format file. */
  private enum Kind {
    HOT("deltabox file hot"),
    COLD("deltabox file cold");

    private final String text;

    Kind(String text) {
      this.text = text;
    }
  }

  @Override
  public String scheme() {
    return "file";
  }

  @Override
  public HotStore openHot(URI address, OpenOptions options) throws StoreException {
    Path directory = directory(address);
    try {
      prepare(directory, Kind.HOT, options);
      return FileHotStore.open(directory, options);
    } catch (IOException e) {
      throw Disk.failure("open store in files failed: directory=" + directory, e);
    }
  }

  @Override
  public ColdStore openCold(URI address, OpenOptions options) throws StoreException {
    Path directory = directory(address);
    try {
      prepare(directory, Kind.COLD, options);
      return new FileColdStore(directory, new Gate(address.toString(), options.readOnly()));
    } catch (IOException e) {
      throw Disk.failure("open store in files failed: directory=" + directory, e);
    }
  }

  private static Path directory(URI address) {
    String path = address.getPath();
    if (path == null || !path.startsWith("/")) {
      throw new IllegalArgumentException(
          "not an absolute path: " + address + " (say file:/DIRECTORY)");
    }
    return Path.of(path).normalize();
  }

  private static void prepare(Path directory, Kind kind, OpenOptions options) throws IOException {
    String expected = kind.text + VERSION;
    Path format = directory.resolve(FORMAT);
    String found;
    try {
      found = Files.readString(format);
    } catch (NoSuchFileException e) {
      if (options.access() != OpenOptions.Access.CREATE) {
        throw new StoreMissingException("no store in this directory: " + directory, e);
      }
      make(directory, format, expected);
      return;
    }
    if (!found.equals(expected)) {
      throw new StoreFormatException(
          "not a store of this kind and version: directory="
              + directory
              + " found="
              + found.strip()
              + " expected="
              + expected.strip());
    }
  }

  private static void make(Path directory, Path format, String text) throws IOException {
    Disk.makeDirectories(directory);
    Path temporary = Files.createTempFile(directory, FORMAT, ".tmp");
    Files.delete(temporary);
    Disk.writeNew(temporary, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    Disk.rename(temporary, format);
    Disk.syncDirectory(directory);
  }
}
