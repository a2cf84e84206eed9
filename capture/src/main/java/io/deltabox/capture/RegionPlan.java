package io.deltabox.capture;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** How one layout of an address space becomes another: the pure half of putting regions back. */
final class RegionPlan {
  enum Kind {
    UNMAP,
    MAP,
    PROTECT
  }

  /**
   * One edit of {@code [start, end)}.
   *
   * @param region the wanted region it is a part of; null for UNMAP
   */
  record Step(Kind kind, long start, long end, @Nullable Region region) {
    Region wanted() {
      if (region == null) {
        throw new IllegalStateException("an unmap wants no region");
      }
      return region;
    }
  }

  private RegionPlan() {}

  /**
   * @return edits in the order to make them: first what goes, then what comes, then rights
   */
  static List<Step> plan(List<Region> current, List<Region> target) {
    TreeSet<Long> cuts = new TreeSet<>();
    for (Region region : current) {
      cuts.add(region.start());
      cuts.add(region.end());
    }
    for (Region region : target) {
      cuts.add(region.start());
      cuts.add(region.end());
    }
    List<Step> steps = new ArrayList<>();
    int now = 0;
    int then = 0;
    Long start = null;
    for (long end : cuts) {
      if (start != null) {
        now = skip(current, now, start);
        then = skip(target, then, start);
        add(steps, start, end, at(current, now, start), at(target, then, start));
      }
      start = end;
    }
    steps.sort(Comparator.comparing(Step::kind));
    return steps;
  }

  private static int skip(List<Region> regions, int from, long address) {
    int at = from;
    while (at < regions.size() && regions.get(at).end() <= address) {
      at++;
    }
    return at;
  }

  private static @Nullable Region at(List<Region> regions, int index, long address) {
    return index < regions.size() && regions.get(index).start() <= address
        ? regions.get(index)
        : null;
  }

  private static void add(
      List<Step> steps, long start, long end, @Nullable Region now, @Nullable Region then) {
    Kind kind = kind(start, now, then);
    if (kind == null) {
      return;
    }
    Region wanted = kind == Kind.UNMAP ? null : then;
    Step last = steps.isEmpty() ? null : steps.get(steps.size() - 1);
    if (last != null
        && last.kind == kind
        && last.end == start
        && Objects.equals(last.region, wanted)) {
      steps.set(steps.size() - 1, new Step(kind, last.start, end, wanted));
    } else {
      steps.add(new Step(kind, start, end, wanted));
    }
  }

  private static @Nullable Kind kind(long start, @Nullable Region now, @Nullable Region then) {
    if ((now != null && now.is(Region.SPECIAL)) || (then != null && then.is(Region.SPECIAL))) {
      return null;
    }
    if (then == null) {
      return now == null ? null : Kind.UNMAP;
    }
    if (now == null || !now.sameBacking(then, start) || !now.sameName(then)) {
      return Kind.MAP;
    }
    return now.protection() == then.protection() ? null : Kind.PROTECT;
  }
}
