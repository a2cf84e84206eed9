package io.deltabox.capture.descriptors;

import java.util.Map;

/** What an open file description is an open file description of. */
public enum FileKind {
  REGULAR,
  /** A regular file without a name. */
  ORPHAN,
  MEMFD,
  DIRECTORY,
  /** A character device without state: null, zero, full, random, urandom. */
  DEVICE,
  /** {@code /dev/tty}: the controlling terminal of whoever opened it. */
  TTY,
  PTY_MASTER,
  PTY_SLAVE,
  PIPE,
  FIFO,
  EVENTFD,
  EPOLL,
  TIMERFD,
  SIGNALFD,
  INOTIFY,
  PIDFD,
  SOCKET,
  /** Opened with {@code O_PATH}: a place, not a content. */
  PATH,
  UNKNOWN;

  private static final int TYPE = 0170000;
  private static final int CHARACTER = 0020000;
  private static final int FIFO_TYPE = 0010000;
  private static final int DIRECTORY_TYPE = 0040000;
  private static final int REGULAR_TYPE = 0100000;
  private static final int SOCKET_TYPE = 0140000;

  private static final Map<String, FileKind> ANONYMOUS =
      Map.of(
          "anon_inode:[eventfd]", EVENTFD,
          "anon_inode:[eventpoll]", EPOLL,
          "anon_inode:[timerfd]", TIMERFD,
          "anon_inode:[signalfd]", SIGNALFD,
          "anon_inode:inotify", INOTIFY,
          "anon_inode:[pidfd]", PIDFD);

  static FileKind of(int mode, int nlink, int flags, long rdev, String link) {
    if ((flags & Flags.O_PATH) != 0) {
      return link.startsWith("/") ? PATH : UNKNOWN;
    }
    FileKind anonymous = ANONYMOUS.get(link);
    if (anonymous != null) {
      return anonymous;
    }
    return switch (mode & TYPE) {
      case CHARACTER -> device(rdev);
      case FIFO_TYPE -> link.startsWith("pipe:") ? PIPE : FIFO;
      case SOCKET_TYPE -> SOCKET;
      case DIRECTORY_TYPE -> link.startsWith("/") ? DIRECTORY : UNKNOWN;
      case REGULAR_TYPE -> regular(nlink, link);
      default -> UNKNOWN;
    };
  }

  private static FileKind regular(int nlink, String link) {
    if (!link.startsWith("/")) {
      return UNKNOWN;
    }
    if (nlink != 0) {
      return REGULAR;
    }
    return link.startsWith("/memfd:") ? MEMFD : ORPHAN;
  }

  private static FileKind device(long rdev) {
    int major = (int) (rdev >>> 8 & 0xfff);
    int minor = (int) ((rdev & 0xff) | (rdev >>> 12 & 0xfff00));
    if (major == 1) {
      return minor == 3 || minor == 5 || minor == 7 || minor == 8 || minor == 9 ? DEVICE : UNKNOWN;
    }
    if (major == 5) {
      return minor == 0 ? TTY : minor == 2 ? PTY_MASTER : UNKNOWN;
    }
    return major >= 136 && major <= 143 ? PTY_SLAVE : UNKNOWN;
  }

  /** Whether the object is found again by the path it was opened by. */
  boolean isNamed() {
    return switch (this) {
      case REGULAR, DIRECTORY, FIFO, PATH -> true;
      case ORPHAN,
          MEMFD,
          DEVICE,
          TTY,
          PTY_MASTER,
          PTY_SLAVE,
          PIPE,
          EVENTFD,
          EPOLL,
          TIMERFD,
          SIGNALFD,
          INOTIFY,
          PIDFD,
          SOCKET,
          UNKNOWN ->
          false;
    };
  }
}
