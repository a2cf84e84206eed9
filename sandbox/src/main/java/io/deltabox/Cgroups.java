package io.deltabox;

import io.deltabox.linux.OptionalFeature;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The control groups of this machine as this process may use them: where groups of sandboxes are
 * made and which limits hold there.
 *
 * <p>Version 2 is used to end groups of processes at once, and for limits where its controllers are
 * handed down to this process's group; else each limit comes from its version 1 hierarchy; else it
 * does not hold and {@link #notices} says so. Names begin with {@code deltabox-}, the pid and start
 * time of the owner, so that left-overs are known.
 */
final class Cgroups {
  static final String PREFIX = "deltabox-";

  /** PID_MAX_LIMIT of the kernel; pids.max takes no more. */
  private static final long KERNEL_PROCESSES_MAX = 4_194_304;

  /** What can be limited. */
  enum Limit {
    MEMORY("memory"),
    PROCESSES("pids"),
    CPU("cpu");

    final String controller;

    Limit(String controller) {
      this.controller = controller;
    }
  }

  private final @Nullable Path unified;
  private final Map<Limit, Path> limits;
  private final Map<Limit, Boolean> version2;

  private Cgroups(@Nullable Path unified, Map<Limit, Path> limits, Map<Limit, Boolean> version2) {
    this.unified = unified;
    this.limits = limits;
    this.version2 = version2;
  }

  /** Looks at the machine. */
  static Cgroups detect(Set<OptionalFeature> without) throws IOException {
    boolean off = without.contains(OptionalFeature.CGROUP);
    List<CgroupMount> mounts = off ? List.of() : CgroupMount.readAll();
    Map<Limit, Path> limits = new EnumMap<>(Limit.class);
    Map<Limit, Boolean> version2 = new EnumMap<>(Limit.class);
    Path unified = null;
    for (CgroupMount mount : mounts) {
      if (mount.version2() && Files.isWritable(mount.own())) {
        unified = mount.own();
      }
    }
    for (Limit limit : Limit.values()) {
      Path place = unified == null ? null : delegated(unified, limit.controller);
      boolean two = place != null;
      for (CgroupMount mount : mounts) {
        if (place == null
            && mount.controllers().contains(limit.controller)
            && Files.isWritable(mount.own())) {
          place = mount.own();
        }
      }
      if (place != null) {
        limits.put(limit, place);
        version2.put(limit, two);
      }
    }
    return new Cgroups(unified, limits, version2);
  }

  /** The group itself if a controller is, or can be, handed to groups made below it. */
  private static @Nullable Path delegated(Path group, String controller) throws IOException {
    if (!words(group.resolve("cgroup.controllers")).contains(controller)) {
      return null;
    }
    if (!words(group.resolve("cgroup.subtree_control")).contains(controller)) {
      try {
        write(group.resolve("cgroup.subtree_control"), "+" + controller);
      } catch (IOException busy) {
        // Processes in the group itself forbid it; they are not ours to move.
        return null;
      }
    }
    return group;
  }

  private static List<String> words(Path file) throws IOException {
    return Files.exists(file) ? List.of(Files.readString(file).trim().split("\\s+")) : List.of();
  }

  static void write(Path file, String text) throws IOException {
    Files.write(file, text.getBytes(StandardCharsets.UTF_8), StandardOpenOption.WRITE);
  }

  /** One line for each limit that does not hold here. */
  List<String> notices() {
    List<String> notices = new ArrayList<>();
    if (unified == null) {
      notices.add(
          "no cgroup for each command: no writable version 2 hierarchy; a time-out or kill ends the"
              + " first process of a command only (mount cgroup2, or run as root)");
    }
    for (Limit limit : Limit.values()) {
      if (!limits.containsKey(limit)) {
        notices.add(
            "no "
                + limit.name().toLowerCase(java.util.Locale.ROOT)
                + " limit: no writable cgroup with controller "
                + limit.controller
                + " (run as root, or as a systemd unit with Delegate=yes)");
      }
    }
    return notices;
  }

  boolean holds(Limit limit) {
    return limits.containsKey(limit);
  }

  /**
   * Makes the groups of one container and sets its limits; after a failure none is left.
   *
   * @param number of the container in the life of the sandbox: two live side by side for a moment
   */
  CgroupSet make(Id id, int number, SandboxSpec spec) throws IOException {
    String name = owner() + id.brief() + (number == 0 ? "" : "-" + number);
    List<Path> version1 = new ArrayList<>();
    Path two = unified == null ? null : unified.resolve(name);
    CgroupSet set = new CgroupSet(two, version1);
    try {
      if (two != null) {
        Files.createDirectory(two);
      }
      for (Map.Entry<Limit, Path> entry : limits.entrySet()) {
        Path directory = entry.getValue().resolve(name);
        boolean isTwo = Boolean.TRUE.equals(version2.get(entry.getKey()));
        if (!isTwo && !version1.contains(directory)) {
          Files.createDirectory(directory);
          version1.add(directory);
        }
        apply(entry.getKey(), isTwo, directory, spec);
      }
      return set;
    } catch (IOException | RuntimeException e) {
      set.remove();
      throw e;
    }
  }

  /** cgroups(7): what a group and a task of nice 0 weigh unless told otherwise. */
  private static final long WEIGHT_ONE = 1024;

  private static final long WEIGHT_TWO = 100;

  private static void apply(Limit limit, boolean two, Path group, SandboxSpec spec)
      throws IOException {
    final long period = 100_000;
    long quota = Math.max(1000, Math.round(spec.cpus() * period));
    switch (limit) {
      case MEMORY -> {
        String bytes = Long.toString(spec.memoryBytesMax());
        write(group.resolve(two ? "memory.max" : "memory.limit_in_bytes"), bytes);
        Path swap = group.resolve(two ? "memory.swap.max" : "memory.memsw.limit_in_bytes");
        if (Files.exists(swap)) {
          write(swap, two ? "0" : bytes);
        }
      }
      case PROCESSES ->
          write(
              group.resolve("pids.max"),
              Long.toString(Math.min(spec.processesMax(), KERNEL_PROCESSES_MAX)));
      case CPU -> {
        // A quota of all there is would still stop a sandbox that uses it up for a moment now and
        // then: processors take their part of it in slices.
        boolean all = spec.cpus() >= Runtime.getRuntime().availableProcessors();
        if (two) {
          write(group.resolve("cpu.max"), (all ? "max" : Long.toString(quota)) + " " + period);
          write(group.resolve("cpu.weight"), Long.toString(weight(spec, WEIGHT_TWO, 10_000)));
        } else {
          write(group.resolve("cpu.cfs_period_us"), Long.toString(period));
          write(group.resolve("cpu.cfs_quota_us"), all ? "-1" : Long.toString(quota));
          write(group.resolve("cpu.shares"), Long.toString(weight(spec, WEIGHT_ONE, 262_144)));
        }
      }
    }
  }

  /**
   * A group counts as much as one task, however many processors its tasks are on; so each processor
   * it may use counts as one.
   */
  private static long weight(SandboxSpec spec, long ofOneTask, long most) {
    double processors = Math.min(spec.cpus(), Runtime.getRuntime().availableProcessors());
    return Math.min(most, Math.max(ofOneTask, Math.round(ofOneTask * processors)));
  }

  /** Start of the names of groups this process makes: prefix, pid, start time. */
  static String owner() throws IOException {
    long pid = ProcessHandle.current().pid();
    return PREFIX + pid + "." + ProcFiles.startTime(pid) + "-";
  }

  /**
   * Groups of this machine whose owner has gone.
   *
   * @return their directories
   */
  List<Path> leftOver() throws IOException {
    List<Path> found = new ArrayList<>();
    List<Path> places = new ArrayList<>(limits.values());
    if (unified != null) {
      places.add(unified);
    }
    for (Path place : places.stream().distinct().toList()) {
      try (var list = Files.newDirectoryStream(place, PREFIX + "*")) {
        for (Path group : list) {
          if (!ownerLives(group.getFileName().toString())) {
            found.add(group);
          }
        }
      }
    }
    return found;
  }

  private static boolean ownerLives(String name) {
    String[] parts = name.substring(PREFIX.length()).split("[.-]");
    if (parts.length < 3) {
      return true;
    }
    try {
      return ProcFiles.startTime(Long.parseLong(parts[0])) == Long.parseLong(parts[1]);
    } catch (IOException e) {
      return false;
    } catch (NumberFormatException e) {
      return true;
    }
  }
}
