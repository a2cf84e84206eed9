package io.deltabox.cli.demo;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A state of the sandbox as far as it can be seen.
 *
 * @param processes numbers, parents, users, threads and commands, from outside
 * @param files everything that may be written, from outside
 * @param inside what programs inside answer, by question
 */
record Facts(List<String> processes, Map<String, String> files, Map<String, String> inside) {
  private static final int SHOWN_MAX = 12;

  Facts {
    processes = List.copyOf(processes);
    files = Map.copyOf(files);
    inside = Map.copyOf(inside);
  }

  /** What is not as in {@code wanted}, one line each, at most a dozen. */
  List<String> differences(Facts wanted) {
    List<String> lines = new ArrayList<>();
    compare(lines, "inside", wanted.inside, inside);
    Map<String, String> then = new LinkedHashMap<>();
    Map<String, String> now = new LinkedHashMap<>();
    wanted.processes.forEach(p -> then.put(p, "running"));
    processes.forEach(p -> now.put(p, "running"));
    compare(lines, "process", then, now);
    compare(lines, "file", wanted.files, files);
    if (lines.size() > SHOWN_MAX) {
      int more = lines.size() - SHOWN_MAX;
      lines = new ArrayList<>(lines.subList(0, SHOWN_MAX));
      lines.add("and " + more + " more");
    }
    return lines;
  }

  private static void compare(
      List<String> lines, String kind, Map<String, String> wanted, Map<String, String> found) {
    Set<String> names = new TreeSet<>(wanted.keySet());
    names.addAll(found.keySet());
    for (String name : names) {
      String then = wanted.getOrDefault(name, "nothing");
      String now = found.getOrDefault(name, "nothing");
      if (!then.equals(now)) {
        lines.add(kind + " " + name + ": expected=" + then + " found=" + now);
      }
    }
  }
}
