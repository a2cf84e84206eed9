package io.deltabox.linux;

import java.io.IOException;

/** A system call was refused. */
public final class ErrnoException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int errno;

  public ErrnoException(int errno, String tried) {
    super(tried + " failed: " + Errno.text(errno));
    this.errno = errno;
  }

  /** The positive error number. */
  public int errno() {
    return errno;
  }
}
