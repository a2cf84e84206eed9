package io.deltabox.linux;

import java.io.IOException;

/** Names and texts of the error numbers the library returns negated. */
public final class Errno {
  public static final int EPERM = 1;
  public static final int ENOENT = 2;
  public static final int ESRCH = 3;
  public static final int EINTR = 4;
  public static final int EAGAIN = 11;
  public static final int ENOMEM = 12;
  public static final int EACCES = 13;
  public static final int EEXIST = 17;
  public static final int EXDEV = 18;
  public static final int ENOTDIR = 20;
  public static final int EISDIR = 21;
  public static final int EINVAL = 22;
  public static final int ENOSPC = 28;
  public static final int ENOSYS = 38;
  public static final int ENOTEMPTY = 39;
  public static final int ELOOP = 40;
  public static final int ENODATA = 61;
  public static final int EOVERFLOW = 75;
  public static final int EOPNOTSUPP = 95;
  public static final int ETIMEDOUT = 110;
  public static final int ESTALE = 116;

  private Errno() {}

  /** The system's text for an error number, for example {@code No such file or directory (2)}. */
  public static String text(int errno) {
    return NativeLibrary.core().dbx_error_text(errno) + " (" + errno + ")";
  }

  /**
   * Turns a negated error number into an exception.
   *
   * @param result what the library returned
   * @param tried what was tried and on what, lower case: {@code open file path=/x}
   * @return {@code result} if it is not negative
   */
  public static long check(long result, String tried) throws IOException {
    if (result < 0) {
      throw new ErrnoException((int) -result, tried);
    }
    return result;
  }
}
