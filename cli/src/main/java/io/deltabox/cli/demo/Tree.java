package io.deltabox.cli.demo;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.channels.Channels;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A sandbox's files as the host sees them. */
final class Tree {
  /** Everything a sandbox may write in without being root, and what root inside has at hand. */
  private static final List<String> WRITABLE =
      List.of(
          "home", "tmp", "var", "run", "root", "opt", "srv", "mnt", "media", "boot", "etc",
          "dev/shm");

  private static final Set<String> NOT_FILES = Set.of("proc", "sys", "dev");

  private Tree() {}

  /** Type, owner, mode, times and content of everything that may be written, by path. */
  static Map<String, String> writable(Path root) throws IOException {
    Map<String, String> found = new TreeMap<>();
    for (String top : WRITABLE) {
      if (Files.exists(root.resolve(top), LinkOption.NOFOLLOW_LINKS)) {
        Files.walkFileTree(root.resolve(top), new Collector(root, found, true));
      }
    }
    return found;
  }

  /** Type, owner, mode and times of everything else, as one number per directory of the root. */
  static Map<String, String> rest(Path root) throws IOException {
    Map<String, String> found = new TreeMap<>();
    try (var tops = Files.newDirectoryStream(root)) {
      for (Path top : tops) {
        String name = root.relativize(top).toString();
        if (!WRITABLE.contains(name) && !NOT_FILES.contains(name)) {
          Map<String, String> below = new TreeMap<>();
          Files.walkFileTree(top, new Collector(root, below, false));
          found.put(name, below.size() + " names, " + Integer.toHexString(below.hashCode()));
        }
      }
    }
    return found;
  }

  private static final class Collector extends SimpleFileVisitor<Path> {
    private final Path root;
    private final Map<String, String> found;
    private final boolean content;

    Collector(Path root, Map<String, String> found, boolean content) {
      this.root = root;
      this.found = found;
      this.content = content;
    }

    @Override
    public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
        throws IOException {
      add(directory, attributes);
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      add(file, attributes);
      return FileVisitResult.CONTINUE;
    }

    private void add(Path path, BasicFileAttributes basic) throws IOException {
      Map<String, Object> unix =
          Files.readAttributes(path, "unix:mode,uid,gid,nlink", LinkOption.NOFOLLOW_LINKS);
      StringBuilder line = new StringBuilder();
      line.append("mode=").append(mode(unix.get("mode")));
      line.append(" owner=").append(unix.get("uid")).append(':').append(unix.get("gid"));
      line.append(" modified=").append(nanos(basic.lastModifiedTime()));
      if (!basic.isDirectory()) {
        line.append(" links=").append(unix.get("nlink")).append(" size=").append(basic.size());
      }
      if (basic.isSymbolicLink()) {
        line.append(" to=").append(Files.readSymbolicLink(path));
      }
      if (content && basic.isRegularFile()) {
        line.append(" content=").append(digest(path));
      }
      found.put("/" + root.relativize(path), line.toString());
    }

    private static String mode(@Nullable Object bits) {
      return bits instanceof Integer i ? Integer.toOctalString(i) : "unknown";
    }

    private static long nanos(FileTime time) {
      return time.to(TimeUnit.NANOSECONDS);
    }

    private static String digest(Path file) throws IOException {
      MessageDigest digest = sha256();
      try (InputStream in =
          new DigestInputStream(
              Channels.newInputStream(
                  Files.newByteChannel(
                      file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS))),
              digest)) {
        byte[] block = new byte[1 << 16];
        int read;
        do {
          read = in.read(block);
        } while (read >= 0);
      }
      return new BigInteger(1, digest.digest()).toString(16);
    }

    private static MessageDigest sha256() {
      try {
        return MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("every virtual machine has it", e);
      }
    }
  }
}
