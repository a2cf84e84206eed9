package io.deltabox.snapshot.table;

import io.deltabox.snapshot.PageRange;
import io.deltabox.store.ChunkId;
import java.util.Arrays;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a table says of the pages of one map: ascending runs of adjacent pages whose content is
 * adjacent in one chunk, or zero, or gone. Immutable. 28 bytes of memory per run.
 */
public final class PageRuns {
  /** Says nothing. */
  public static final PageRuns EMPTY = new Builder().build();

  /** In place of the page in a chunk: the pages are zero. */
  private static final int ZERO = -1;

  /** In place of the page in a chunk: the pages have no content. */
  private static final int GONE = -2;

  private static final ChunkId NONE = new ChunkId(0, 0, 0, 0);

  private final long[] first;
  private final int[] count;
  private final ChunkId[] chunk;
  private final int[] at;

  private PageRuns(long[] first, int[] count, ChunkId[] chunk, int[] at) {
    this.first = first;
    this.count = count;
    this.chunk = chunk;
    this.at = at;
  }

  public boolean isEmpty() {
    return first.length == 0;
  }

  /** How many runs. */
  public int size() {
    return first.length;
  }

  /** Number of the first page of a run. */
  public long first(int run) {
    return first[run];
  }

  public int count(int run) {
    return count[run];
  }

  /** One past the number of the last page of a run. */
  public long end(int run) {
    return first[run] + count[run];
  }

  public boolean zero(int run) {
    return at[run] == ZERO;
  }

  public boolean gone(int run) {
    return at[run] == GONE;
  }

  /** Whether a chunk has the content of a run. */
  public boolean inChunk(int run) {
    return at[run] >= 0;
  }

  /** The chunk of a run that is in one. */
  public ChunkId chunk(int run) {
    if (at[run] < 0) {
      throw new IllegalStateException("no chunk has these pages: first=" + first[run]);
    }
    return chunk[run];
  }

  /** Where in the chunk the first page of a run is, in pages. */
  public int at(int run) {
    return at[run];
  }

  /** The first run that ends behind a page; {@link #size} for none. */
  public int from(long page) {
    int found = Arrays.binarySearch(first, page);
    if (found >= 0) {
      return found;
    }
    int before = -found - 2;
    return before >= 0 && end(before) > page ? before : before + 1;
  }

  /** The run that has a page, or -1. */
  public int find(long page) {
    int run = from(page);
    return run < size() && first[run] <= page ? run : -1;
  }

  /** How many pages have content. */
  public long pages() {
    long pages = 0;
    for (int run = 0; run < size(); run++) {
      pages += gone(run) ? 0 : count[run];
    }
    return pages;
  }

  /** How many pages it says anything of. */
  public long entries() {
    long entries = 0;
    for (int pages : count) {
      entries += pages;
    }
    return entries;
  }

  public void addChunksTo(Set<ChunkId> chunks) {
    for (int run = 0; run < size(); run++) {
      if (inChunk(run)) {
        chunks.add(chunk[run]);
      }
    }
  }

  /** What lies in a range. */
  public PageRuns within(PageRange range) {
    Builder within = new Builder();
    for (int run = from(range.from()); run < size() && first[run] < range.to(); run++) {
      within.addPart(this, run, Math.max(first[run], range.from()), Math.min(end(run), range.to()));
    }
    return within.build();
  }

  /** Without what it says is gone: what remains when nothing lies below. */
  public PageRuns withoutGone() {
    boolean any = false;
    for (int place : at) {
      any |= place == GONE;
    }
    if (!any) {
      return this;
    }
    Builder rest = new Builder();
    for (int run = 0; run < size(); run++) {
      if (!gone(run)) {
        rest.addPart(this, run, first[run], end(run));
      }
    }
    return rest.build();
  }

  /** The same, where what is gone is named only for pages that have content below. */
  public PageRuns goneOnlyWhere(PageRuns below) {
    Builder rest = new Builder();
    for (int run = 0; run < size(); run++) {
      if (!gone(run)) {
        rest.addPart(this, run, first[run], end(run));
        continue;
      }
      PageRuns lost = below.within(new PageRange(first[run], end(run)));
      for (int i = 0; i < lost.size(); i++) {
        if (!lost.gone(i)) {
          rest.addGone(lost.first(i), lost.count(i));
        }
      }
    }
    return rest.build();
  }

  /** What two tables say together, where the upper one is asked first. */
  public static PageRuns over(PageRuns lower, PageRuns upper) {
    if (lower.isEmpty() || upper.isEmpty()) {
      return upper.isEmpty() ? lower : upper;
    }
    Builder both = new Builder();
    int below = 0;
    long done = 0;
    for (int run = 0; run <= upper.size(); run++) {
      long until = run < upper.size() ? upper.first[run] : PageRange.PAGES_MAX;
      while (below < lower.size() && lower.first[below] < until) {
        long from = Math.max(lower.first[below], done);
        long to = Math.min(lower.end(below), until);
        both.addPart(lower, below, from, to);
        if (lower.end(below) > until) {
          break;
        }
        below++;
      }
      if (run < upper.size()) {
        both.addPart(upper, run, until, upper.end(run));
        done = upper.end(run);
      }
    }
    return both.build();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof PageRuns that
        && Arrays.equals(first, that.first)
        && Arrays.equals(count, that.count)
        && Arrays.equals(chunk, that.chunk)
        && Arrays.equals(at, that.at);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(first) * 31 + Arrays.hashCode(at);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("[");
    for (int run = 0; run < size(); run++) {
      text.append(first[run]).append('+').append(count[run]).append('@').append(at[run]);
      text.append(run + 1 < size() ? " " : "");
    }
    return text.append(']').toString();
  }

  /** Takes runs in ascending order; adjacent ones become one. */
  public static final class Builder {
    private long[] first = new long[16];
    private int[] count = new int[16];
    private ChunkId[] chunk = new ChunkId[16];
    private int[] at = new int[16];
    private int size;

    public Builder() {
      Arrays.fill(chunk, NONE);
    }

    /** One past the last page that was added. */
    public long end() {
      return size == 0 ? 0 : first[size - 1] + count[size - 1];
    }

    public Builder add(long page, int pages, ChunkId in, int place) {
      if (place < 0) {
        throw new IllegalArgumentException("impossible place in a chunk: page=" + place);
      }
      return append(page, pages, in, place);
    }

    public Builder addZero(long page, int pages) {
      return append(page, pages, NONE, ZERO);
    }

    public Builder addGone(long page, int pages) {
      return append(page, pages, NONE, GONE);
    }

    private void addPart(PageRuns runs, int run, long from, long to) {
      if (from < to) {
        int place = runs.at[run];
        int moved = place < 0 ? place : place + (int) (from - runs.first[run]);
        append(from, (int) (to - from), runs.chunk[run], moved);
      }
    }

    private Builder append(long page, int pages, ChunkId in, int place) {
      if (pages < 1 || page < end() || page > PageRange.PAGES_MAX - pages) {
        throw new IllegalArgumentException(
            "pages out of order: first=" + page + " count=" + pages + " before=" + end());
      }
      if (size > 0 && page == end() && follows(in, place) && count[size - 1] + pages > 0) {
        count[size - 1] += pages;
        return this;
      }
      if (size == first.length) {
        grow();
      }
      first[size] = page;
      count[size] = pages;
      chunk[size] = in;
      at[size] = place;
      size++;
      return this;
    }

    private boolean follows(ChunkId in, int place) {
      int last = size - 1;
      return place < 0
          ? at[last] == place
          : at[last] >= 0 && at[last] + count[last] == place && chunk[last].equals(in);
    }

    private void grow() {
      int more = size * 2;
      first = Arrays.copyOf(first, more);
      count = Arrays.copyOf(count, more);
      ChunkId[] chunks = new ChunkId[more];
      Arrays.fill(chunks, NONE);
      System.arraycopy(chunk, 0, chunks, 0, size);
      chunk = chunks;
      at = Arrays.copyOf(at, more);
    }

    public PageRuns build() {
      return new PageRuns(
          Arrays.copyOf(first, size),
          Arrays.copyOf(count, size),
          Arrays.copyOf(chunk, size),
          Arrays.copyOf(at, size));
    }
  }
}
