package io.deltabox.it;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** What sandboxes may leave behind on the machine: processes, mounts, control groups. */
record Leftovers(Set<String> processes, Set<String> mounts, Set<String> cgroups) {
  private static final long SETTLE_NANOS = TimeUnit.SECONDS.toNanos(5);

  /**
   * What is there now.
   *
   * @param marker text that is in the arguments of every process to be looked for
   */
  static Leftovers now(String marker) throws IOException {
    return new Leftovers(findProcesses(marker), findMounts(), findCgroups());
  }

  /** What is left beyond {@code before} once it has had time to go away. */
  static List<String> since(Leftovers before, String marker) throws IOException {
    long deadline = System.nanoTime() + SETTLE_NANOS;
    List<String> left = difference(before, now(marker));
    while (!left.isEmpty() && System.nanoTime() < deadline) {
      LockSupport.parkNanos(10_000_000);
      left = difference(before, now(marker));
    }
    return left;
  }

  private static List<String> difference(Leftovers before, Leftovers after) {
    List<String> left = new ArrayList<>();
    after.processes.stream().filter(p -> !before.processes.contains(p)).forEach(left::add);
    after.mounts.stream().filter(m -> !before.mounts.contains(m)).forEach(left::add);
    after.cgroups.stream().filter(c -> !before.cgroups.contains(c)).forEach(left::add);
    return left;
  }

  private static Set<String> findProcesses(String marker) throws IOException {
    Set<String> found = new TreeSet<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : all) {
        String pid = String.valueOf(process.getFileName());
        if (pid.equals(String.valueOf(ProcessHandle.current().pid()))) {
          continue;
        }
        try {
          byte[] raw = Files.readAllBytes(process.resolve("cmdline"));
          String arguments = new String(raw, StandardCharsets.ISO_8859_1).replace('\0', ' ');
          boolean init = arguments.contains("deltabox-init");
          if (arguments.contains(marker) || init) {
            found.add("process " + pid + " " + arguments);
          }
        } catch (IOException ended) {
          // Gone since the list was read.
        }
      }
    }
    return found;
  }

  private static Set<String> findMounts() throws IOException {
    Set<String> found = new TreeSet<>();
    for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
      found.add("mount " + line);
    }
    return found;
  }

  private static Set<String> findCgroups() throws IOException {
    Set<String> found = new TreeSet<>();
    Path root = Path.of("/sys/fs/cgroup");
    if (Files.isDirectory(root)) {
      try (Stream<Path> paths = Files.find(root, 6, (p, a) -> a.isDirectory())) {
        paths.filter(p -> p.toString().contains("deltabox")).forEach(p -> found.add("cgroup " + p));
      }
    }
    return found;
  }
}
