package io.deltabox.capture;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/**
 * Puts the private memory of one stopped process back: which pages may differ, then writing and
 * dropping them.
 */
final class PageRestore {
  private final LiveProcess process;
  private final ProcessSnapshot wanted;
  private final PageStore store;
  private long[] pages = new long[1024];
  private int count;
  private long written;
  private long dropped;

  PageRestore(LiveProcess process, ProcessSnapshot wanted, PageStore store) {
    this.process = process;
    this.wanted = wanted;
    this.store = store;
  }

  long written() {
    return written;
  }

  /** How many pages the plan looks at. */
  int candidates() {
    return count;
  }

  long dropped() {
    return dropped;
  }

  /**
   * @param known content of every page the tracker does not report as written
   * @param mapped parts mapped anew: nothing of them has content
   */
  void plan(PageMap known, List<PageRun> mapped) {
    for (PageRun run : process.entry().dirty) {
      for (long page = run.firstPage(); page < run.endPage(); page++) {
        add(page);
      }
    }
    known.diff(wanted.pages(), (page, before, after) -> add(page));
    // What they hold by themselves is among the written pages.
    addWanted(process.entry().fresh);
    addWanted(mapped);
    OwnPages.gaps(
        wanted.state().regions(),
        process.entry().own,
        (from, to) -> wanted.pages().forEach(from, to, (page, slot) -> add(page)));
    Arrays.sort(pages, 0, count);
    int unique = 0;
    for (int i = 0; i < count; i++) {
      if (unique == 0 || pages[unique - 1] != pages[i]) {
        pages[unique++] = pages[i];
      }
    }
    count = unique;
  }

  private void addWanted(List<PageRun> runs) {
    for (PageRun run : runs) {
      wanted.pages().forEach(run.firstPage(), run.endPage(), (page, slot) -> add(page));
    }
  }

  private void add(long page) {
    if (count == pages.length) {
      pages = Arrays.copyOf(pages, 2 * count);
    }
    pages[count++] = page;
  }

  /**
   * Writes and drops.
   *
   * @param mapped parts mapped anew, as {@link #plan} had them
   */
  void apply(Tracer tracer, List<PageRun> mapped) throws IOException {
    if (count == 0) {
      return;
    }
    try (PagePairs over = new PagePairs(count);
        PageFill fill = new PageFill(tracer, process, mapped, wanted, count)) {
      Batches drops = new Batches(process, 0);
      Cursor regions = new Cursor(wanted.state().regions());
      long dropFrom = 0;
      long dropTo = 0;
      for (int i = 0; i < count; i++) {
        long page = pages[i];
        if (!regions.privateAt(page << 12)) {
          continue;
        }
        int slot = wanted.pages().get(page);
        if (slot != PageMap.ABSENT) {
          (fill.covers(page) ? fill.pairs() : over).add(page << 12, store.address(slot));
          written++;
          continue;
        }
        if (page != dropTo || !regions.sameAsBefore()) {
          drop(drops, dropFrom, dropTo);
          dropFrom = page;
        }
        dropTo = page + 1;
        dropped++;
      }
      drop(drops, dropFrom, dropTo);
      drops.flush();
      fill.run();
      long result =
          tracer.calls.dbx_engine_write_pages(
              tracer.handle(), process.pid(), over.address(), over.count());
      PageFill.check(result, process);
    }
  }

  private static void drop(Batches drops, long from, long to) throws CaptureException {
    if (from == to) {
      return;
    }
    InjectedBatch batch = drops.room(1, 0);
    drops.expect(
        batch.call(
            Sys.MADVISE,
            batch.value(from << 12),
            batch.value((to - from) << 12),
            batch.value(Sys.MADV_DONTNEED_LOCKED)),
        "drop memory");
  }

  /** Walks the regions along with ascending addresses. */
  private static final class Cursor {
    private final List<Region> regions;
    private int at;
    private int before = -1;
    private int now = -1;

    Cursor(List<Region> regions) {
      this.regions = regions;
    }

    boolean privateAt(long address) {
      while (at < regions.size() && regions.get(at).end() <= address) {
        at++;
      }
      before = now;
      now = at;
      return at < regions.size()
          && regions.get(at).start() <= address
          && !regions.get(at).is(Region.SPECIAL)
          && !regions.get(at).is(Region.SHARED);
    }

    /** True if the last two addresses asked for lie in one region. */
    boolean sameAsBefore() {
      return before == now;
    }
  }
}
