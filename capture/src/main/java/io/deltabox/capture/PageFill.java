package io.deltabox.capture;

import io.deltabox.linux.Errno;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Fills anonymous regions of a stopped process that were just mapped: their pages are placed whole,
 * which spares the fault and the clearing that writing them would cost. Asked in address order.
 */
final class PageFill implements AutoCloseable {
  /** From 16 MiB on a second thread pays: copying is bound by one processor. */
  private static final int TOGETHER_MIN = 4096;

  private final Tracer tracer;
  private final LiveProcess process;
  private final List<PageRun> runs = new ArrayList<>();
  private final PagePairs pairs;
  private int at;
  private int tracked = -1;

  PageFill(
      Tracer tracer,
      LiveProcess process,
      List<PageRun> mapped,
      ProcessSnapshot wanted,
      int countMax)
      throws IOException {
    this.tracer = tracer;
    this.process = process;
    this.pairs = new PagePairs(countMax);
    for (PageRun run : mapped) {
      Region region = wanted.state().regionAt(run.from());
      if (region != null && fits(region, run)) {
        runs.add(run);
      }
    }
    runs.sort(Comparator.comparingLong(PageRun::firstPage));
  }

  /**
   * A stack that was grown is no region of its own, and one without access is only tracked when it
   * has pages, as a whole: both would be split.
   */
  private static boolean fits(Region region, PageRun run) {
    boolean grown = region.stack() && run.to() < region.end();
    return region.anonymous()
        && !region.is(Region.SHARED)
        && !region.is(Region.HUGETLB)
        && region.protection() != 0
        && !grown;
  }

  /** Whether a page lies in what is filled; its region is tracked from now on. */
  boolean covers(long page) {
    while (at < runs.size() && runs.get(at).endPage() <= page) {
      at++;
    }
    if (at == runs.size() || page < runs.get(at).firstPage()) {
      return false;
    }
    if (tracked != at) {
      tracked = at;
      PageRun run = runs.get(at);
      // What cannot be tracked is written instead.
      tracer.calls.dbx_engine_track(tracer.handle(), process.pid(), run.from(), run.to());
    }
    return true;
  }

  PagePairs pairs() {
    return pairs;
  }

  void run() throws CaptureException {
    int count = pairs.count();
    int half = count < TOGETHER_MIN ? 0 : count / 2;
    CompletableFuture<Long> other = null;
    if (half > 0) {
      other =
          CompletableFuture.supplyAsync(
              () -> fill(0, half), task -> new Thread(task, "deltabox-fill").start());
    }
    long result;
    try {
      result = fill(half, count - half);
    } finally {
      // The pages are not to be let go before the other thread is done with them.
      join(other);
    }
    check(result, process);
    check(join(other), process);
  }

  private static long join(@Nullable CompletableFuture<Long> other) {
    return other == null ? 0 : other.join();
  }

  private long fill(int from, int count) {
    long address = pairs.address() + (long) from * PagePairs.PAIR_BYTES;
    return tracer.calls.dbx_engine_fill_pages(tracer.handle(), process.pid(), address, count);
  }

  static void check(long result, LiveProcess process) throws CaptureException {
    if (result < 0) {
      throw new CaptureException(
          "write memory failed: " + Errno.text((int) -result) + " " + process.state().label());
    }
  }

  @Override
  public void close() {
    pairs.close();
  }
}
