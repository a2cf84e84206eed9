package io.deltabox.capture.descriptors;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Looks for a file by its identity. Follows no links, and descends into another file system than
 * the file's only near the start, where its mount point may be; so never deep into /proc.
 */
final class FileSearch extends SimpleFileVisitor<Path> {
  /** Files one search looks at: a second of work on a slow machine. */
  private static final int VISITS_MAX = 200_000;

  private static final int FOREIGN_DEPTH_MAX = 3;

  private final Kernel kernel;
  private final FileKey key;
  private int left = VISITS_MAX;
  private int depth;
  private @Nullable Path found;

  /**
   * @param key of the container searched
   */
  FileSearch(Kernel kernel, FileKey key) {
    this.kernel = kernel;
    this.key = key;
  }

  /**
   * Searches a directory.
   *
   * @param directory a descriptor, which is closed
   * @return a new descriptor of the place found
   */
  OptionalInt below(int directory) throws IOException {
    try {
      depth = 0;
      Files.walkFileTree(Path.of("/proc/self/fd/" + directory + "/."), this);
      return found == null
          ? OptionalInt.empty()
          : OptionalInt.of(kernel.open(found.toString(), Flags.O_PATH | Flags.O_NOFOLLOW, 0));
    } finally {
      kernel.closeQuietly(directory);
    }
  }

  @Override
  public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes)
      throws IOException {
    FileVisitResult next = visitFile(path, attributes);
    if (next != FileVisitResult.CONTINUE) {
      return next;
    }
    Object device = Files.getAttribute(path, "unix:dev", LinkOption.NOFOLLOW_LINKS);
    if (depth >= FOREIGN_DEPTH_MAX && !device.equals(Devices.plain(key.dev()))) {
      return FileVisitResult.SKIP_SUBTREE;
    }
    depth++;
    return FileVisitResult.CONTINUE;
  }

  @Override
  public FileVisitResult visitFile(Path path, BasicFileAttributes attributes) throws IOException {
    Map<String, Object> identity =
        Files.readAttributes(path, "unix:dev,ino", LinkOption.NOFOLLOW_LINKS);
    if (number(identity, "dev") == Devices.plain(key.dev())
        && number(identity, "ino") == key.ino()) {
      found = path;
      return FileVisitResult.TERMINATE;
    }
    return --left > 0 ? FileVisitResult.CONTINUE : FileVisitResult.TERMINATE;
  }

  private static long number(Map<String, Object> attributes, String name) {
    return attributes.get(name) instanceof Long value ? value : -1;
  }

  @Override
  public FileVisitResult postVisitDirectory(Path path, @Nullable IOException failure) {
    depth--;
    return FileVisitResult.CONTINUE;
  }

  @Override
  public FileVisitResult visitFileFailed(Path path, IOException failure) {
    return FileVisitResult.CONTINUE;
  }
}
