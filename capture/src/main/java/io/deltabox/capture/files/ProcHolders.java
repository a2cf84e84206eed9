package io.deltabox.capture.files;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Reads from /proc what processes hold of files; for callers that have not read it anyway. */
public final class ProcHolders {
  private ProcHolders() {}

  /** The holdings of these processes; those that have ended are skipped. */
  public static LiveHolders read(Collection<Integer> pids) throws IOException {
    List<LiveHolders.Holder> holders = new ArrayList<>();
    for (int pid : pids) {
      Path process = Path.of("/proc/" + pid);
      add(process.resolve("cwd"), holders);
      addAll(process.resolve("fd"), holders);
      addAll(process.resolve("map_files"), holders);
    }
    return new LiveHolders(holders);
  }

  private static void addAll(Path directory, List<LiveHolders.Holder> holders) throws IOException {
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        add(entry, holders);
      }
    } catch (java.nio.file.DirectoryIteratorException e) {
      // The process has ended meanwhile: it holds nothing.
      return;
    }
  }

  private static void add(Path link, List<LiveHolders.Holder> holders) {
    try {
      String target = Files.readSymbolicLink(link).toString();
      if (!target.startsWith("/")) {
        return;
      }
      Map<String, Object> found = Files.readAttributes(link, "unix:dev,ino,mode");
      long mode = number(found, "mode");
      holders.add(
          new LiveHolders.Holder(
              number(found, "dev"),
              number(found, "ino"),
              target.endsWith(" (deleted)"),
              (mode & FileMeta.TYPE_MASK) == FileMeta.TYPE_DIRECTORY,
              writable(link)));
    } catch (IOException e) {
      // Closed or unmapped since it was listed: not held any more.
      return;
    }
  }

  /** The permissions of these links are those of the descriptor or mapping. */
  private static boolean writable(Path link) throws IOException {
    return Files.getPosixFilePermissions(link, LinkOption.NOFOLLOW_LINKS)
        .contains(PosixFilePermission.OWNER_WRITE);
  }

  private static long number(Map<String, Object> found, String name) {
    return ((Number) Objects.requireNonNull(found.get(name))).longValue();
  }
}
