package io.deltabox.capture;

import io.deltabox.linux.Memory;
import io.deltabox.linux.NativeLibrary;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Hands pages of the store on in runs, without copying: pages go together that follow each other
 * and lie in slots that do, as those of one checkpoint mostly do. What was there before is copied.
 * Used once; not thread-safe.
 */
final class PageTransfer {
  /** Receives runs and the bytes of all of them, now and before; null if they had none before. */
  interface Target {
    void pages(List<PageRun> runs, ByteBuffer bytes, @Nullable ByteBuffer before)
        throws IOException;
  }

  /** Receives runs whose pages have no content any more. */
  interface Dropped {
    void dropped(List<PageRun> runs) throws IOException;
  }

  private static final long STAGING_BYTES = (long) CaptureSink.PAGES_MAX * PageStore.PAGE_BYTES;

  private final PageStore store;
  private final List<PageRun> dropped = new ArrayList<>();
  private long[] pages = new long[1024];
  private int[] slots = new int[1024];
  private int[] before = new int[1024];
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
            add(page, slot, old);
          }
        });
    return this;
  }

  /** Pages with content in a range. */
  PageTransfer range(PageMap map, PageRun range) {
    map.forEach(
        range.firstPage(), range.endPage(), (page, slot) -> add(page, slot, PageMap.ABSENT));
    return this;
  }

  private void add(long page, int slot, int old) {
    if (count == pages.length) {
      pages = Arrays.copyOf(pages, 2 * count);
      slots = Arrays.copyOf(slots, 2 * count);
      before = Arrays.copyOf(before, 2 * count);
    }
    pages[count] = page;
    slots[count] = slot;
    before[count++] = old;
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
    try (Memory staging = Memory.allocate(STAGING_BYTES, Memory.Touch.LATER)) {
      for (int from = 0, end; from < count; from = end) {
        List<PageRun> runs = new ArrayList<>();
        addTo(runs, pages[from]);
        for (end = from + 1; end < count && goesOn(from, end); end++) {
          addTo(runs, pages[end]);
        }
        int bytes = (end - from) * PageStore.PAGE_BYTES;
        ByteBuffer now = Memory.view(store.address(slots[from]), bytes).asReadOnlyBuffer();
        to.pages(runs, now, before(from, end, staging));
      }
    }
  }

  /** Whether a page is handed on together with those from {@code from} to the one before it. */
  private boolean goesOn(int from, int page) {
    return page - from < CaptureSink.PAGES_MAX
        && store.adjacent(slots[page - 1], slots[page])
        && (before[page] == PageMap.ABSENT) == (before[from] == PageMap.ABSENT);
  }

  /** Old pages lie where they were first captured, so they are gathered. */
  private @Nullable ByteBuffer before(int from, int end, Memory staging) {
    if (before[from] == PageMap.ABSENT) {
      return null;
    }
    for (int i = from; i < end; i++) {
      long to = staging.address() + (long) (i - from) * PageStore.PAGE_BYTES;
      NativeLibrary.core().dbx_copy(to, store.address(before[i]), PageStore.PAGE_BYTES);
    }
    return staging.slice(0, (end - from) * PageStore.PAGE_BYTES).asReadOnlyBuffer();
  }
}
