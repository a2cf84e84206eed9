package io.deltabox.capture.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * Processes change a tree at random and hold what they like of it; at random moments they are
 * stopped, checkpointed, let on, stopped again and rolled back to any earlier state. An independent
 * walk says what the tree is.
 */
final class FileFuzz {
  record Result(
      long seed,
      int checkpoints,
      int rollbacks,
      List<String> differences,
      int exposed,
      int created,
      int approximate,
      long medianRollbackMicros) {}

  private record Snapshot(
      FileState state, Map<String, String> truth, Map<String, String> captured, int parent) {}

  private final long seed;
  private final Random random;
  private final List<String> differences = new ArrayList<>();
  private final List<Snapshot> snapshots = new ArrayList<>();
  private final List<Long> times = new ArrayList<>();
  private int exposed;
  private int created;
  private int approximate;

  FileFuzz(long seed) {
    this.seed = seed;
    this.random = new Random(seed);
  }

  private static void fill(Path base) throws IOException {
    for (int i = 0; i < 120; i++) {
      Path dir = base.resolve("t/d" + i % 8 + "/e" + i % 5);
      Files.createDirectories(dir);
      Files.writeString(dir.resolve("f" + i), ("b" + i).repeat(1 + i * 7 % 900));
    }
    for (int i = 0; i < 10; i++) {
      String to = i < 3 ? "t/d1/e1/f1" : "t/d" + i % 8 + "/e" + i % 5 + "/f" + i;
      Files.createLink(base.resolve("t/d3/l" + i), base.resolve(to));
    }
    for (int i = 0; i < 6; i++) {
      Files.createSymbolicLink(base.resolve("t/d" + i + "/sy" + i), Path.of("x" + i));
    }
    byte[] bytes = new byte[65536];
    for (int i = 0; i < 3; i++) {
      new Random(i).nextBytes(bytes);
      Files.write(base.resolve("mapped" + i), bytes);
    }
    Files.createDirectory(base.resolve("shm"));
    for (int i = 0; i < 4; i++) {
      try (var file = new java.io.RandomAccessFile(base.resolve("t/sp" + i).toFile(), "rw")) {
        file.setLength(200_000);
        file.seek(81_920);
        file.write("S".repeat(5000).getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
      }
    }
  }

  Result run(int checkpoints) throws IOException, InterruptedException {
    int rollbacks = 0;
    try (Agent agent = new Agent();
        TestFiles files = new TestFiles(FileFuzz::fill)) {
      List<Integer> pids = new ArrayList<>();
      Map<String, String> start = files.truth(agent);
      snapshots.add(new Snapshot(files.tracker.current(), start, start, -1));
      for (int i = 0; i < 3; i++) {
        pids.add(pid(agent.ask("mutate", files.outside(), Long.toString(seed), "" + i)));
        pids.add(pid(agent.ask("map", files.outside(), "" + i)));
      }
      pids.add(pid(agent.ask("mutate_shared", files.outsideShared(), Long.toString(seed))));
      int current = 0;
      for (int i = 0; i < checkpoints && differences.isEmpty(); i++) {
        TimeUnit.MILLISECONDS.sleep(random.nextInt(60));
        if (random.nextInt(3) == 0) {
          files.tracker.prepare();
          TimeUnit.MILLISECONDS.sleep(random.nextInt(10));
        }
        agent.ask("stop");
        FileState state = files.checkpoint(pids);
        Map<String, String> truth = files.truth(agent);
        compare("checkpoint " + i, truth, StateWalk.of(files, state));
        differences.addAll(StateWalk.faults(state));
        snapshots.add(new Snapshot(state, truth, truth, current));
        current = snapshots.size() - 1;
        if (random.nextInt(10) < 6) {
          agent.ask("go");
          TimeUnit.MILLISECONDS.sleep(random.nextInt(50));
          agent.ask("stop");
          int target =
              random.nextBoolean()
                  ? random.nextInt(snapshots.size())
                  : snapshots.size() - 1 - random.nextInt(Math.min(4, snapshots.size()));
          rollbacks++;
          rollback(files, agent, pids, target, "rollback " + i + " -> " + target);
          current = target;
        }
        agent.ask("go");
        files.tracker.afterThaw();
        if (random.nextInt(8) == 0) {
          files.store.retain(
              snapshots.stream().map(Snapshot::state).toList(), List.of(files.tracker));
        }
      }
      agent.ask("kill");
      elsewhere(files, agent);
    }
    times.sort(Comparator.naturalOrder());
    long median = times.isEmpty() ? 0 : times.get(times.size() / 2);
    return new Result(
        seed,
        snapshots.size() - 1,
        rollbacks,
        differences,
        exposed,
        created,
        approximate,
        median / 1000);
  }

  /**
   * The same states put into an empty sandbox over the same base, one after the other. What could
   * not be put back exactly in the first sandbox is exact in an untouched one.
   */
  private void elsewhere(TestFiles files, Agent agent) throws IOException {
    snapshots.replaceAll(s -> new Snapshot(s.state, s.captured, s.captured, s.parent));
    try (TestFiles other = new TestFiles(files)) {
      for (int i = 0; i < 4 && differences.isEmpty(); i++) {
        int target = random.nextInt(snapshots.size());
        rollback(other, agent, List.of(), target, "elsewhere " + i + " -> " + target);
      }
    }
  }

  private static int pid(List<String> answer) {
    return Integer.parseInt(answer.get(0));
  }

  private void rollback(TestFiles files, Agent agent, List<Integer> pids, int target, String what)
      throws IOException {
    Snapshot wanted = snapshots.get(target);
    LiveHolders holders = ProcHolders.read(pids);
    long start = System.nanoTime();
    FileRollbackResult result = files.tracker.rollback(wanted.state, holders);
    times.add(System.nanoTime() - start);
    exposed += result.exposed();
    created += result.created();
    approximate += result.approximate().size();
    Map<String, String> now = files.truth(agent);
    if (!result.approximate().isEmpty()) {
      dropGroups(now);
      compare(what, withoutGroups(wanted.truth), now);
      snapshots.set(
          target, new Snapshot(wanted.state, files.truth(agent), wanted.captured, wanted.parent));
    } else {
      compare(what, wanted.truth, now);
    }
  }

  private static void dropGroups(Map<String, String> walk) {
    walk.keySet().removeIf(path -> path.contains("group:"));
  }

  private static Map<String, String> withoutGroups(Map<String, String> walk) {
    Map<String, String> rest = new HashMap<>(walk);
    dropGroups(rest);
    return rest;
  }

  private void compare(String what, Map<String, String> wanted, Map<String, String> found) {
    TreeSet<String> paths = new TreeSet<>(wanted.keySet());
    paths.addAll(found.keySet());
    int count = 0;
    for (String path : paths) {
      String a = wanted.get(path);
      String b = found.get(path);
      if (!Objects.equals(a, b) && count++ < 6) {
        differences.add(what + " " + path + "\n   wanted " + a + "\n   found  " + b);
      }
    }
    if (count > 6) {
      differences.add(what + " and " + (count - 6) + " more");
    }
  }

  /** Runs seeds for ever: {@code FileFuzz checkpoints firstSeed lastSeed}. */
  public static void main(String[] args) throws IOException, InterruptedException {
    int bad = 0;
    int rollbacks = 0;
    for (long seed = Long.parseLong(args[1]); seed <= Long.parseLong(args[2]); seed++) {
      Result result = new FileFuzz(seed).run(Integer.parseInt(args[0]));
      System.out.println(summary(result));
      result.differences.forEach(System.out::println);
      bad += result.differences.isEmpty() ? 0 : 1;
      rollbacks += result.rollbacks;
    }
    System.out.println(
        "bad seeds " + bad + " rollbacks " + rollbacks + " " + Arrays.toString(args));
    System.exit(bad == 0 ? 0 : 1);
  }

  static String summary(Result result) {
    return "file fuzz seed="
        + result.seed
        + " checkpoints="
        + result.checkpoints
        + " rollbacks="
        + result.rollbacks
        + " differences="
        + result.differences.size()
        + " exposed="
        + result.exposed
        + " created="
        + result.created
        + " approximate="
        + result.approximate
        + " rollback p50="
        + result.medianRollbackMicros
        + "us";
  }
}
