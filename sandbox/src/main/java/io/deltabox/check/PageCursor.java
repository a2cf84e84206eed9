package io.deltabox.check;

import java.util.List;

/** Goes through the pages of a process by address, across its regions. */
final class PageCursor {
  private final List<Region> regions;
  private int region;
  private int page;

  PageCursor(List<Region> regions) {
    this.regions = regions;
    settle();
  }

  private void settle() {
    while (region < regions.size() && page >= regions.get(region).pages().count()) {
      region++;
      page = 0;
    }
  }

  boolean atEnd() {
    return region >= regions.size();
  }

  /** Address of the page, or the largest number at the end. */
  long address() {
    return atEnd()
        ? Long.MAX_VALUE
        : regions.get(region).from() + regions.get(region).pages().index(page) * Pages.PAGE;
  }

  boolean same(PageCursor other) {
    return regions
        .get(region)
        .pages()
        .sameHash(page, other.regions.get(other.region).pages(), other.page);
  }

  String hash() {
    return regions.get(region).pages().hash(page);
  }

  String region() {
    return regions.get(region).rights() + " " + regions.get(region).name();
  }

  void next() {
    page++;
    settle();
  }
}
