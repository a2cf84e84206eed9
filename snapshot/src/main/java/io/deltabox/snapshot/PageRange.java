package io.deltabox.snapshot;

/**
 * Adjacent pages of a map, by their numbers.
 *
 * @param from number of the first page
 * @param to one past the number of the last page; at most {@link #PAGES_MAX}
 */
public record PageRange(long from, long to) {
  /** Bytes of a page. */
  public static final int PAGE_BYTES = 4096;

  /** No page has this number or a higher one: 4 PiB, more than any address space or object. */
  public static final long PAGES_MAX = 1L << 40;

  /** All pages a map can have. */
  public static final PageRange ALL = new PageRange(0, PAGES_MAX);

  public PageRange {
    if (from < 0 || from >= to || to > PAGES_MAX) {
      throw new IllegalArgumentException("impossible pages: from=" + from + " to=" + to);
    }
  }

  /** How many. */
  public long count() {
    return to - from;
  }
}
