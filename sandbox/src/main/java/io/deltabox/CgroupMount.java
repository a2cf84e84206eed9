package io.deltabox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A mounted cgroup hierarchy.
 *
 * @param version2 the unified hierarchy
 * @param controllers of a version 1 hierarchy
 * @param own directory of this process's group
 */
record CgroupMount(boolean version2, List<String> controllers, Path own) {

  /** Those this process can see, from proc's mountinfo and cgroup files. */
  static List<CgroupMount> readAll() throws IOException {
    List<String> groups = Files.readAllLines(Path.of("/proc/self/cgroup"));
    List<CgroupMount> mounts = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
      String[] halves = line.split(" - ", 2);
      String[] left = halves[0].split(" ");
      String[] right = halves[1].split(" ");
      if (!right[0].equals("cgroup") && !right[0].equals("cgroup2")) {
        continue;
      }
      boolean two = right[0].equals("cgroup2");
      List<String> options = List.of(right[2].split(","));
      for (String group : groups) {
        String[] fields = group.split(":", 3);
        boolean match =
            two ? fields[0].equals("0") : options.containsAll(List.of(fields[1].split(",")));
        if (match && (two || !fields[1].isEmpty())) {
          mounts.add(new CgroupMount(two, options, place(left[4], left[3], fields[2])));
        }
      }
    }
    return mounts;
  }

  /** A bind mount may show only a part of the hierarchy: {@code root} is where it begins. */
  private static Path place(String mountPoint, String root, String group) {
    String below =
        root.equals("/") || !group.startsWith(root) ? group : group.substring(root.length());
    while (below.startsWith("/")) {
      below = below.substring(1);
    }
    return Path.of(mountPoint).resolve(below);
  }
}
