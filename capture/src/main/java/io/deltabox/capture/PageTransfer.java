package io.deltabox.capture;

import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Hands pages of the store on in runs, without copying where pages that follow each other lie in
 * slots that do, as those of one checkpoint mostly do. Used once; not thread-safe.
 */
final class PageTransfer {
  /** Receives runs and the bytes of all of them. */
  interface Target {
    void pages(List<PageRun> runs, ByteBuffer bytes) throws IOException;
  }

  /** Receives runs whose pages have no content any more. */
  interface Dropped {
    void dropped(List<PageRun> runs) throws IOException;
  }

  private final PageStore store;
  private final List<PageRun> dropped = new ArrayList<>();
  private long[] pages = new long[1024];
  private int[] slots = new int[1024];
  private int count;

  PageTransfer(PageStore store) {
    this.store = store;
  }

  /** Everything in which {@code after} is not {@code before}. */
  PageTransfer difference(PageMap before, PageMap after) {
    before.diff(
        after,
        (page, old, slot) -> {
          if (slot == PageMap.ABSENT) {
            addTo(dropped, page);
          } else {
            add(page, slot);
          }
        });
    return this;
  }

  /** Pages with content in a range. */
  PageTransfer range(PageMap map, PageRun range) {
    map.forEach(range.firstPage(), range.endPage(), this::add);
    return this;
  }

  private void add(long page, int slot) {
    if (count == pages.length) {
      pages = java.util.Arrays.copyOf(pages, 2 * count);
      slots = java.util.Arrays.copyOf(slots, 2 * count);
    }
    pages[count] = page;
    slots[count++] = slot;
  }

  private static void addTo(List<PageRun> runs, long page) {
    PageRun last = runs.isEmpty() ? null : runs.get(runs.size() - 1);
    if (last != null && last.endPage() == page) {
      runs.set(runs.size() - 1, new PageRun(last.from(), (page + 1) << 12));
    } else {
      runs.add(new PageRun(page << 12, (page + 1) << 12));
    }
  }

  void run(Target to, Dropped gone) throws IOException {
    run(to);
    if (!dropped.isEmpty()) {
      gone.dropped(List.copyOf(dropped));
    }
  }

  void run(Target to) throws IOException {
    for (int from = 0, end; from < count; from = end) {
      List<PageRun> runs = new ArrayList<>();
      addTo(runs, pages[from]);
      for (end = from + 1; end < count && end - from < CaptureSink.PAGES_MAX; end++) {
        if (!store.adjacent(slots[end - 1], slots[end])) {
          break;
        }
        addTo(runs, pages[end]);
      }
      int bytes = (end - from) * PageStore.PAGE_BYTES;
      to.pages(runs, Memory.view(store.address(slots[from]), bytes).asReadOnlyBuffer());
    }
  }
}
