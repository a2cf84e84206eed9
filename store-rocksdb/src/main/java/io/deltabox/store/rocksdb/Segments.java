package io.deltabox.store.rocksdb;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The files of the log. Those used last are kept open; one that is removed while it is read is read
 * to the end.
 */
final class Segments implements AutoCloseable {
  /** Half of what many users may have open is 512; RocksDB needs some as well. */
  private static final int OPEN_MAX = 128;

  private static final String SUFFIX = ".seg";

  private final Path directory;
  private final boolean readOnly;

  /** Guarded by itself; last used comes last. */
  private final LinkedHashMap<Integer, Open> open = new LinkedHashMap<>(16, 0.75f, true);

  private static final class Open {
    private final DiskFile file;
    private int users;
    private boolean removed;

    private Open(DiskFile file) {
      this.file = file;
    }
  }

  /** Something to do with a file. */
  interface Use<T> {
    T run(DiskFile file) throws IOException;
  }

  Segments(Path directory, boolean readOnly) {
    this.directory = directory;
    this.readOnly = readOnly;
  }

  static String name(int number) {
    return String.format(Locale.ROOT, "%010d%s", number, SUFFIX);
  }

  Path path(int number) {
    return directory.resolve(name(number));
  }

  /** The numbers of the files that are there. */
  NavigableSet<Integer> numbers() throws IOException {
    NavigableSet<Integer> numbers = new TreeSet<>();
    try (var files = Files.newDirectoryStream(directory, "[0-9]*" + SUFFIX)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        numbers.add(Integer.parseInt(name.substring(0, name.length() - SUFFIX.length())));
      }
    } catch (NumberFormatException e) {
      throw new IOException("not a segment in the directory of segments: " + directory, e);
    }
    return numbers;
  }

  /** Makes one with its head in it, in place of one that was not finished. */
  void make(SegmentHead head) throws IOException {
    forget(head.number());
    try (DiskFile file = DiskFile.make(path(head.number()))) {
      file.cut(0);
      file.write(head.toBuffer(), 0);
    }
  }

  <T> T with(int number, Use<T> use) throws IOException {
    Open one = take(number);
    try {
      return use.run(one.file);
    } finally {
      give(one);
    }
  }

  /** As much as there is, from the buffer's position on; flipped. */
  ByteBuffer read(int number, ByteBuffer into, long at) throws IOException {
    with(
        number,
        file -> {
          file.read(into, at);
          return true;
        });
    return into.flip();
  }

  long size(int number) throws IOException {
    return with(number, DiskFile::size);
  }

  void force(int number) throws IOException {
    with(
        number,
        file -> {
          file.force();
          return true;
        });
  }

  void cut(int number, long size) throws IOException {
    with(
        number,
        file -> {
          file.cut(size);
          return true;
        });
  }

  /** The head of a segment; null if it is not there or has none. */
  @Nullable SegmentHead head(int number) throws IOException {
    if (!Files.exists(path(number))) {
      return null;
    }
    return SegmentHead.read(read(number, ByteBuffer.allocate(SegmentHead.BYTES), 0), number);
  }

  private Open take(int number) throws IOException {
    synchronized (open) {
      Open one = open.get(number);
      if (one == null) {
        one = new Open(DiskFile.open(path(number), !readOnly));
        open.put(number, one);
        closeIdle();
      }
      one.users++;
      return one;
    }
  }

  private void give(Open one) throws IOException {
    synchronized (open) {
      one.users--;
      if (one.users == 0 && one.removed) {
        one.file.close();
      }
    }
  }

  private void closeIdle() throws IOException {
    Iterator<Map.Entry<Integer, Open>> eldest = open.entrySet().iterator();
    while (open.size() > OPEN_MAX && eldest.hasNext()) {
      Open one = eldest.next().getValue();
      if (one.users == 0) {
        eldest.remove();
        one.file.close();
      }
    }
  }

  /** Not there is as good. */
  void remove(int number) throws IOException {
    forget(number);
    Files.deleteIfExists(path(number));
  }

  private void forget(int number) throws IOException {
    synchronized (open) {
      Open one = open.remove(number);
      if (one != null) {
        one.removed = true;
        if (one.users == 0) {
          one.file.close();
        }
      }
    }
  }

  /** Makes durable which files there are. */
  void forceNames() throws IOException {
    force(directory);
  }

  static void force(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  @Override
  public void close() throws IOException {
    synchronized (open) {
      for (Open one : open.values()) {
        one.file.close();
      }
      open.clear();
    }
  }

  @Override
  public String toString() {
    return directory.toString();
  }
}
