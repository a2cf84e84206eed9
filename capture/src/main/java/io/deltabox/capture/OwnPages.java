package io.deltabox.capture;

import java.util.List;

/**
 * Pages of private file mappings: those a process has copied for itself, and the others, which are
 * the file's.
 */
final class OwnPages {
  /** Receives page numbers {@code [from, to)}. */
  @FunctionalInterface
  interface Pages {
    void range(long from, long to);
  }

  private OwnPages() {}

  static boolean isPrivateFile(Region region) {
    return !region.anonymous() && !region.is(Region.SHARED) && !region.is(Region.SPECIAL);
  }

  /**
   * Visits what the process has no copy of.
   *
   * @param own its copies, ascending
   */
  static void gaps(List<Region> regions, List<PageRun> own, Pages pages) {
    int at = 0;
    for (Region region : regions) {
      if (!isPrivateFile(region)) {
        continue;
      }
      long from = region.start() >>> 12;
      long end = region.end() >>> 12;
      while (at < own.size() && own.get(at).endPage() <= from) {
        at++;
      }
      for (int i = at; i < own.size() && own.get(i).firstPage() < end; i++) {
        pages.range(from, Math.max(from, own.get(i).firstPage()));
        from = Math.max(from, own.get(i).endPage());
      }
      if (from < end) {
        pages.range(from, end);
      }
    }
  }
}
