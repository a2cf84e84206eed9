package io.deltabox;

import io.deltabox.linux.Errno;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A private file system, attached nowhere, that is being filled to lie over the tree of a base. */
final class Layer implements AutoCloseable {
  /** What every sandbox has instead of the base's own. */
  private static final String HOSTS =
      """
      127.0.0.1 localhost %s
      ::1 localhost ip6-localhost ip6-loopback
      """;

  /** When everything in it that is not a copy of another file says it was changed last. */
  private static final FileTime MADE = FileTime.from(Instant.parse("2000-01-01T00:00:00Z"));

  private final Descriptor mount;

  private Layer(Descriptor mount) {
    this.mount = mount;
  }

  static Layer make(long bytesMax, long inodesMax) throws IOException {
    return new Layer(
        Descriptor.of(
            SandboxFunctions.get()
                .dbx_sandbox_tmpfs(bytesMax, inodesMax, 0755, Mounts.NOSUID | Mounts.NODEV),
            "make file system of the base layer"));
  }

  Descriptor mount() {
    return mount;
  }

  Path path(String below) {
    return mount.path().resolve(below);
  }

  boolean hasDirectory(String path) {
    return Files.isDirectory(path(path), LinkOption.NOFOLLOW_LINKS);
  }

  void directory(String path, int mode, int uid, int gid) throws IOException {
    Errno.check(
        SandboxFunctions.get().dbx_sandbox_directory(mount.fd(), path, mode, uid, gid),
        "make directory of the base layer path=/" + path);
  }

  void link(String path, String target) throws IOException {
    Files.createSymbolicLink(path(path), Path.of(target));
  }

  void file(String path, String text, Set<PosixFilePermission> mode) throws IOException {
    Path file = path(path);
    Files.write(file, text.getBytes(StandardCharsets.UTF_8));
    Files.setPosixFilePermissions(file, mode);
    settleTime(file);
  }

  /** How the sandbox calls itself and others, in {@code etc}. */
  void names(String hostname) throws IOException {
    file("etc/hosts", HOSTS.formatted(hostname), Modes.of("rw-r--r--"));
    file("etc/hostname", hostname + "\n", Modes.of("rw-r--r--"));
    file("etc/resolv.conf", "", Modes.of("rw-r--r--"));
    link("etc/mtab", "/proc/self/mounts");
  }

  /** Something to mount on at the end of a path whose directories are there. */
  void mountPoint(String path, boolean isDirectory) throws IOException {
    if (isDirectory) {
      if (!hasDirectory(path)) {
        directory(path, 0755, 0, 0);
      }
    } else if (!Files.exists(path(path), LinkOption.NOFOLLOW_LINKS)) {
      file(path, "", Modes.of("rw-r--r--"));
    }
  }

  /** Makes it the same whenever it is built: a snapshot may be restored over a later one. */
  void settleTimes() throws IOException {
    Files.walkFileTree(
        // The path itself is a link to it.
        path("."),
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attrs)
              throws IOException {
            if (attrs.isSymbolicLink()) {
              settleTime(file);
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path dir, @Nullable IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            settleTime(dir);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private static void settleTime(Path made) throws IOException {
    Files.getFileAttributeView(made, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
        .setTimes(MADE, null, null);
  }

  @Override
  public void close() {
    mount.close();
  }
}
