package io.deltabox.snapshot.write;

import io.deltabox.snapshot.PageRange;
import io.deltabox.snapshot.table.PageRuns;
import java.util.ArrayList;
import java.util.List;

/** What a writer was told of the pages of one map, in the order it was told. */
final class MapDelta {
  /** Something that was said; the chunk is named later. */
  private interface Said {
    void addTo(PageRuns.Builder runs);

    PageRange range();
  }

  /** Pages of a chunk. */
  private record Put(PageRange range, Piece piece, int at) implements Said {
    @Override
    public void addTo(PageRuns.Builder runs) {
      runs.add(range.from(), (int) range.count(), piece.id(), at);
    }
  }

  private record Zero(PageRange range) implements Said {
    @Override
    public void addTo(PageRuns.Builder runs) {
      runs.addZero(range.from(), (int) range.count());
    }
  }

  private record Gone(PageRange range) implements Said {
    @Override
    public void addTo(PageRuns.Builder runs) {
      long from = range.from();
      while (from < range.to()) {
        int count = (int) Math.min(1 << 30, range.to() - from);
        runs.addGone(from, count);
        from += count;
      }
    }
  }

  private final List<Said> said = new ArrayList<>();

  void put(long page, int count, Piece piece, int at) {
    said.add(new Put(new PageRange(page, page + count), piece, at));
  }

  void zero(long page) {
    said.add(new Zero(new PageRange(page, page + 1)));
  }

  void gone(PageRange range) {
    said.add(new Gone(range));
  }

  /**
   * The runs, once all chunks have names. What is gone is said only of pages that the parent has.
   *
   * @param parent what the parent has of the map
   */
  PageRuns runs(PageRuns parent) {
    PageRuns runs = PageRuns.EMPTY;
    PageRuns.Builder next = new PageRuns.Builder();
    for (Said one : said) {
      if (one.range().from() < next.end()) {
        runs = PageRuns.over(runs, next.build());
        next = new PageRuns.Builder();
      }
      one.addTo(next);
    }
    return PageRuns.over(runs, next.build()).goneOnlyWhere(parent);
  }
}
