package io.deltabox.capture;

/**
 * Adjacent pages of an address space or object.
 *
 * @param from address of the first byte, a multiple of the page size
 * @param to one past the last byte
 */
public record PageRun(long from, long to) {
  /** All of the user half of an address space, and more than any object. */
  public static final PageRun EVERYTHING = new PageRun(0, PageMap.PAGES_MAX << 12);

  /** Number of pages. */
  public long pages() {
    return (to - from) >>> 12;
  }

  /** Number of the first page. */
  public long firstPage() {
    return from >>> 12;
  }

  /** One past the number of the last page. */
  public long endPage() {
    return to >>> 12;
  }
}
