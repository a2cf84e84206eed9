package io.deltabox.cli.daemon;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The directory a daemon owns: one daemon at a time, held by a lock that ends with its process.
 *
 * <p>{@code running/} has one file per sandbox. A clean stop empties it, so what a starting daemon
 * finds there ended with one that was killed.
 */
final class DataRoot implements AutoCloseable {
  private final Path path;
  private final FileChannel channel;
  private final FileLock lock;
  private final Path running;

  private DataRoot(Path path, FileChannel channel, FileLock lock) {
    this.path = path;
    this.channel = channel;
    this.lock = lock;
    this.running = path.resolve("running");
  }

  /**
   * Takes a data root.
   *
   * @throws IOException if another daemon has it
   */
  static DataRoot open(Path path) throws IOException {
    Files.createDirectories(path.resolve("running"));
    FileChannel channel =
        FileChannel.open(
            path.resolve("daemon.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock lock = channel.tryLock();
    if (lock == null) {
      channel.close();
      throw new IOException("another daemon has this data root: path=" + path);
    }
    return new DataRoot(path, channel, lock);
  }

  Path path() {
    return path;
  }

  /** Sandboxes that ended with an earlier daemon: ids with names. Forgets them. */
  List<String> takeEnded() throws IOException {
    List<String> ended = new ArrayList<>();
    if (!Files.isDirectory(running)) {
      // Somebody removed the data root under the daemon.
      return ended;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(running)) {
      for (Path file : files) {
        String name = Files.readString(file).strip();
        String id = file.getFileName().toString();
        ended.add(name.isEmpty() ? id.substring(0, Math.min(12, id.length())) : name);
        Files.delete(file);
      }
    }
    return ended;
  }

  void remember(String sandboxId, String name) throws IOException {
    Files.writeString(running.resolve(sandboxId), name);
  }

  void forget(String sandboxId) throws IOException {
    Files.deleteIfExists(running.resolve(sandboxId));
  }

  /** What an earlier daemon unpacked and could not delete. */
  void clearTemporary() throws IOException {
    Path tmp = path.resolve("tmp");
    removeTree(tmp);
    Files.createDirectories(tmp);
  }

  /** Removes everything; for a root made for one command. */
  void remove() throws IOException {
    removeTree(path);
  }

  private static void removeTree(Path top) throws IOException {
    if (!Files.exists(top)) {
      return;
    }
    List<Path> all;
    try (Stream<Path> walk = Files.walk(top)) {
      all = new ArrayList<>(walk.toList());
    }
    for (int i = all.size() - 1; i >= 0; i--) {
      Files.deleteIfExists(all.get(i));
    }
  }

  @Override
  public void close() throws IOException {
    try (channel) {
      lock.release();
    }
  }
}
