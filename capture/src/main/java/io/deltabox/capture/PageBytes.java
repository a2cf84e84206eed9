package io.deltabox.capture;

import io.deltabox.linux.NativeLibrary;

/** Comparisons of pages by address. */
final class PageBytes {
  /** Public because the binding defines its implementation in a class loader of its own. */
  public interface Calls {
    int dbx_page_is_zero(long address);

    int dbx_page_equal(long a, long b);
  }

  private static final Calls CALLS = NativeLibrary.bind(Calls.class);

  private PageBytes() {}

  static boolean isZero(long address) {
    return CALLS.dbx_page_is_zero(address) != 0;
  }

  static boolean equal(long a, long b) {
    return CALLS.dbx_page_equal(a, b) != 0;
  }
}
