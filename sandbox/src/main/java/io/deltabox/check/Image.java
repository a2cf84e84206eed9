package io.deltabox.check;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The state of a stopped sandbox at one moment, as the independent reader saw it. Immutable. */
public final class Image {
  /** More differences than this tell nothing new. */
  private static final int DIFFERENCES_MAX = 1000;

  private final Map<Integer, ProcessImage> processes;
  private final Map<String, String> files;

  Image(Map<Integer, ProcessImage> processes, Map<String, String> files) {
    this.processes = new TreeMap<>(processes);
    this.files = files;
  }

  /** Number of processes covered. */
  public int processCount() {
    return processes.size();
  }

  /** Number of threads whose registers were read. */
  public long tracedThreadCount() {
    return processes.values().stream()
        .flatMap(p -> p.facts().keySet().stream())
        .filter(key -> key.endsWith(" rip"))
        .count();
  }

  /** Number of pages that are not all zero. */
  public long pageCount() {
    return processes.values().stream()
        .flatMap(p -> p.regions().stream())
        .mapToLong(r -> r.pages().count())
        .sum();
  }

  /** Number of names in the file tree. */
  public int fileCount() {
    return files.size();
  }

  /**
   * Compares a later image, for example after a rollback, with this one.
   *
   * <p>Not compared, because the kernel gives or moves them by itself: host process numbers, inode
   * numbers, change times and birth times, access times; the area of restartable sequences; mapping
   * names of the engine's scratch memory; the border between two regions of equal kind; the value
   * of running timers; processor time and other counters.
   *
   * @return the differences, at most a thousand; empty if the two are equal
   */
  public List<Difference> compare(Image other) {
    List<Difference> differences = new ArrayList<>();
    for (int pid : union(processes, other.processes)) {
      ProcessImage before = processes.get(pid);
      ProcessImage after = other.processes.get(pid);
      if (before == null || after == null) {
        differences.add(new Difference("pid " + pid, "process", name(before), name(after)));
      } else {
        compareFacts("pid " + pid, before.facts(), after.facts(), differences);
        compareMemory("pid " + pid, before.regions(), after.regions(), differences);
      }
    }
    compareFacts("files", files, other.files, differences);
    return differences.size() > DIFFERENCES_MAX
        ? List.copyOf(differences.subList(0, DIFFERENCES_MAX))
        : List.copyOf(differences);
  }

  /** What was covered, for reports: {@code processes=3 threads=9 pages=25310 files=812}. */
  @Override
  public String toString() {
    return "processes="
        + processCount()
        + " threads="
        + tracedThreadCount()
        + " pages="
        + pageCount()
        + " files="
        + fileCount();
  }

  private static String name(@org.jspecify.annotations.Nullable ProcessImage process) {
    return process == null ? Difference.ABSENT : process.facts().getOrDefault("Name", "zombie");
  }

  private static <K extends Comparable<K>> Set<K> union(Map<K, ?> a, Map<K, ?> b) {
    Set<K> keys = new TreeSet<>(a.keySet());
    keys.addAll(b.keySet());
    return keys;
  }

  private static void compareFacts(
      String where, Map<String, String> before, Map<String, String> after, List<Difference> into) {
    for (String key : union(before, after)) {
      String expected = before.getOrDefault(key, Difference.ABSENT);
      String found = after.getOrDefault(key, Difference.ABSENT);
      if (!expected.equals(found)) {
        into.add(new Difference(where, key, expected, found));
      }
    }
  }

  private static void compareMemory(
      String where, List<Region> before, List<Region> after, List<Difference> into) {
    Map<Long, Region> left = byStart(before);
    Map<Long, Region> right = byStart(after);
    for (long from : union(left, right)) {
      String expected = layout(left.get(from));
      String found = layout(right.get(from));
      if (!expected.equals(found)) {
        into.add(new Difference(where, "region 0x" + Long.toHexString(from), expected, found));
      }
    }
    comparePages(where, new PageCursor(before), new PageCursor(after), into);
  }

  private static Map<Long, Region> byStart(List<Region> regions) {
    Map<Long, Region> byStart = new TreeMap<>();
    for (Region region : regions) {
      byStart.put(region.from(), region);
    }
    return byStart;
  }

  private static String layout(@org.jspecify.annotations.Nullable Region region) {
    return region == null
        ? Difference.ABSENT
        : "to 0x" + Long.toHexString(region.to()) + " " + region.description();
  }

  /** By address, whatever the regions around are: a border moved must not hide or invent a page. */
  private static void comparePages(
      String where, PageCursor expected, PageCursor found, List<Difference> into) {
    while (!expected.atEnd() || !found.atEnd()) {
      long address = Math.min(expected.address(), found.address());
      boolean here = expected.address() == address;
      boolean there = found.address() == address;
      if (!here || !there || !expected.same(found)) {
        String region = (here ? expected : found).region();
        into.add(
            new Difference(
                where + " " + region,
                "page 0x" + Long.toHexString(address),
                here ? expected.hash() : "zeros",
                there ? found.hash() : "zeros"));
      }
      if (here) {
        expected.next();
      }
      if (there) {
        found.next();
      }
    }
  }
}
