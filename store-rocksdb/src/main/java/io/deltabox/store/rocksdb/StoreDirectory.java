package io.deltabox.store.rocksdb;

import io.deltabox.store.OpenOptions.Access;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreFormatException;
import io.deltabox.store.StoreMissingException;
import io.deltabox.store.StoreReadOnlyException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * The directory of a store: {@code format} says what it is, {@code log} holds the segments, {@code
 * db} the index, {@code durable} is the {@link Watermark}, {@code pid} tells who opened it last.
 */
final class StoreDirectory {
  private static final String KIND = "deltabox rocksdb hot ";
  private static final String VERSION = "2";

  private final Path path;

  StoreDirectory(Path path) {
    this.path = path;
  }

  Path path() {
    return path;
  }

  Path database() {
    return path.resolve("db");
  }

  Path segments() {
    return path.resolve("log");
  }

  Path watermark() {
    return path.resolve("durable");
  }

  private Path format() {
    return path.resolve("format");
  }

  /** Checks that it is a store that can be opened so, or makes it one. */
  void prepare(Access access) throws StoreException {
    try {
      String found;
      try {
        found = Files.readString(format()).strip();
      } catch (NoSuchFileException e) {
        if (access != Access.CREATE) {
          throw new StoreMissingException("no store in this directory: " + path, e);
        }
        make();
        return;
      }
      if (!found.equals(KIND + VERSION)) {
        throw new StoreFormatException(
            "not a store that this version can open: directory="
                + path
                + " found="
                + found
                + " expected="
                + KIND
                + VERSION);
      }
    } catch (IOException e) {
      throw Failures.of("open store failed: directory=" + path, e);
    }
    if (access != Access.READ && !Files.isWritable(path)) {
      throw new StoreReadOnlyException(
          "the store lies where it cannot be written (open it for reading): directory=" + path);
    }
  }

  private void make() throws IOException {
    Files.createDirectories(path);
    try (var files = Files.list(path)) {
      if (files.anyMatch(file -> !file.getFileName().toString().endsWith(".tmp"))) {
        throw new StoreFormatException(
            "not a store, and not empty: directory=" + path + " (use another directory)");
      }
    }
    Path temporary = path.resolve("format.tmp");
    Files.writeString(temporary, KIND + VERSION + "\n");
    sync(temporary);
    Files.move(temporary, format(), StandardCopyOption.ATOMIC_MOVE);
    sync(path);
    Path parent = path.getParent();
    if (parent != null) {
      sync(parent);
    }
  }

  /** Makes the names in the directory durable. */
  void sync() throws StoreException {
    try {
      sync(path);
    } catch (IOException e) {
      throw Failures.of("make directory durable failed: directory=" + path, e);
    }
  }

  private static void sync(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  void setOwner() throws StoreException {
    try {
      byte[] pid = (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
      Files.write(path.resolve("pid"), pid);
    } catch (IOException e) {
      throw Failures.of("write owner failed: directory=" + path, e);
    }
  }

  /** The process that opened it last, as far as that is known. */
  String owner() {
    try {
      return Files.readString(path.resolve("pid")).strip();
    } catch (IOException e) {
      return "unknown";
    }
  }

  @Override
  public String toString() {
    return path.toString();
  }
}
