package io.deltabox.capture.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** How long checkpoints and rollbacks of files take: run by hand. */
final class FileTimes {
  /** Time of this thread only: the numbers hold on a busy machine too. */
  private static final java.lang.management.ThreadMXBean CPU =
      java.lang.management.ManagementFactory.getThreadMXBean();

  private FileTimes() {}

  private interface Change {
    void at(Path root, int round) throws IOException;
  }

  public static void main(String[] args) throws IOException {
    int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 300;
    run("10 small files rewritten", rounds, FileTimes::rewrite);
    run("install of 1000 files", rounds / 5, FileTimes::install);
    run(
        "base tree of 200 files removed",
        rounds / 3,
        (root, round) -> remove(root.resolve("tree")));
    run("nothing", rounds, (root, round) -> {});
  }

  private static void fill(Path base) throws IOException {
    for (int i = 0; i < 20; i++) {
      Files.writeString(base.resolve("s" + i), "x".repeat(8000));
    }
    for (int i = 0; i < 200; i++) {
      Path dir = base.resolve("tree/d" + i % 10);
      Files.createDirectories(dir);
      Files.writeString(dir.resolve("f" + i), "y".repeat(500));
    }
  }

  private static void rewrite(Path root, int round) throws IOException {
    for (int i = 0; i < 10; i++) {
      Files.writeString(root.resolve("s" + i), ("r" + round).repeat(2000));
    }
  }

  private static void install(Path root, int round) throws IOException {
    for (int i = 0; i < 1000; i++) {
      Path dir = root.resolve("install/d" + i % 50);
      Files.createDirectories(dir);
      Files.writeString(dir.resolve("f" + i), "z".repeat(300));
    }
  }

  private static void remove(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      List<Path> below = new ArrayList<>();
      try (var entries = Files.newDirectoryStream(path)) {
        entries.forEach(below::add);
      }
      for (Path entry : below) {
        remove(entry);
      }
    }
    Files.delete(path);
  }

  private static void run(String what, int rounds, Change change) throws IOException {
    List<Long> windows = new ArrayList<>();
    List<Long> captures = new ArrayList<>();
    List<Long> rollbacks = new ArrayList<>();
    try (TestFiles files = new TestFiles(FileTimes::fill)) {
      FileState start = files.checkpoint();
      for (int i = 0; i < rounds; i++) {
        change.at(files.root(), i);
        files.checkpoint();
        windows.add(files.windowNanos);
        captures.add(files.captureNanos);
        long before = CPU.getCurrentThreadCpuTime();
        files.tracker.rollback(start, LiveHolders.none());
        rollbacks.add(CPU.getCurrentThreadCpuTime() - before);
        files.tracker.afterThaw();
        files.tracker.prepare();
        files.store.retain(List.of(start), List.of(files.tracker));
      }
    }
    System.out.printf(
        "%-32s window p50 %d us, capture p50 %d us, rollback p50 %d us p90 %d us%n",
        what,
        percentile(windows, 50),
        percentile(captures, 50),
        percentile(rollbacks, 50),
        percentile(rollbacks, 90));
  }

  private static long percentile(List<Long> nanos, int percent) {
    List<Long> half = new ArrayList<>(nanos.subList(nanos.size() / 2, nanos.size()));
    Collections.sort(half);
    return half.get(half.size() * percent / 100) / 1000;
  }
}
