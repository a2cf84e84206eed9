package io.deltabox.it;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * What the sandboxes of one holder may leave behind: processes, mounts, control groups. Other
 * holders on the machine do not count.
 *
 * @param holderPid the process that held the sandboxes; part of the name of their control groups
 * @param marker text in the arguments of every program they ran
 * @param directory where the holder kept its data
 */
record Leftovers(long holderPid, String marker, Path directory) {
  private static final long SETTLE_NANOS = TimeUnit.SECONDS.toNanos(60);

  /** What is left once it has had time to go away. */
  List<String> afterEnd() throws IOException {
    long deadline = System.nanoTime() + SETTLE_NANOS;
    List<String> left = now();
    while (!left.isEmpty() && System.nanoTime() < deadline) {
      LockSupport.parkNanos(10_000_000);
      left = now();
    }
    return left;
  }

  /** What is there at this moment. */
  List<String> now() throws IOException {
    List<String> found = new ArrayList<>();
    processes(found);
    for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
      if (line.contains(directory.toString()) || line.contains(group())) {
        found.add("mount " + line);
      }
    }
    groups(found);
    return found;
  }

  private String group() {
    return "deltabox-" + holderPid + ".";
  }

  private void processes(List<String> found) throws IOException {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : all) {
        String pid = String.valueOf(process.getFileName());
        try {
          String arguments = text(process.resolve("cmdline")).replace('\0', ' ');
          boolean inside = text(process.resolve("cgroup")).contains(group());
          boolean holder = pid.equals(String.valueOf(holderPid));
          if (!holder && (inside || arguments.contains(marker))) {
            found.add("process " + pid + " " + arguments);
          }
        } catch (IOException ended) {
          // Gone since the list was read.
        }
      }
    }
  }

  private static String text(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
  }

  private void groups(List<String> found) throws IOException {
    Path root = Path.of("/sys/fs/cgroup");
    if (!Files.isDirectory(root)) {
      return;
    }
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<Path>() {
          @Override
          public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes) {
            if (String.valueOf(path.getFileName()).startsWith(group())) {
              found.add("control group " + path);
              return FileVisitResult.SKIP_SUBTREE;
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path path, IOException gone) {
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(
              Path path, @org.jspecify.annotations.Nullable IOException gone) {
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
