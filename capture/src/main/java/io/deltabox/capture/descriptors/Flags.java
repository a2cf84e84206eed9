package io.deltabox.capture.descriptors;

/** Flags of open(2) and numbers of system calls, as the x86-64 kernel numbers them. */
final class Flags {
  static final int O_WRONLY = 1;
  static final int O_RDWR = 2;
  static final int O_ACCMODE = 3;
  static final int O_APPEND = 02000;
  static final int O_NONBLOCK = 04000;
  static final int O_ASYNC = 020000;
  static final int O_DIRECT = 040000;
  static final int O_LARGEFILE = 0100000;
  static final int O_DIRECTORY = 0200000;
  static final int O_SYNC = 04010000;
  static final int O_NOFOLLOW = 0400000;
  static final int O_NOATIME = 01000000;
  static final int O_CLOEXEC = 02000000;
  static final int O_PATH = 010000000;
  static final int O_TMPFILE = 020200000;
  static final int O_NOCTTY = 0400;

  /** What F_SETFL can change. */
  static final int SETTABLE = O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME;

  private Flags() {}
}
