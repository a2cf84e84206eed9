package io.deltabox.capture.descriptors;

/** Numbers of the system calls this package makes or injects, x86-64. */
final class Calls {
  static final int READ = 0;
  static final int WRITE = 1;
  static final int OPEN = 2;
  static final int CLOSE = 3;
  static final int POLL = 7;
  static final int LSEEK = 8;
  static final int IOCTL = 16;
  static final int PREAD = 17;
  static final int PWRITE = 18;
  static final int SENDFILE = 40;
  static final int SOCKET = 41;
  static final int CONNECT = 42;
  static final int SENDTO = 44;
  static final int RECVFROM = 45;
  static final int RECVMSG = 47;
  static final int SHUTDOWN = 48;
  static final int BIND = 49;
  static final int LISTEN = 50;
  static final int SOCKETPAIR = 53;
  static final int SETSOCKOPT = 54;
  static final int FCNTL = 72;
  static final int FLOCK = 73;
  static final int FTRUNCATE = 77;
  static final int CHDIR = 80;
  static final int FCHDIR = 81;
  static final int UNLINK = 87;
  static final int UMASK = 95;
  static final int CHROOT = 161;
  static final int EPOLL_CTL = 233;
  static final int INOTIFY_ADD_WATCH = 254;
  static final int INOTIFY_RM_WATCH = 255;
  static final int OPENAT = 257;
  static final int READLINKAT = 267;
  static final int LINKAT = 265;
  static final int CHMOD = 90;
  static final int FCHMOD = 91;
  static final int FCHOWN = 93;
  static final int MKDIRAT = 258;
  static final int UNLINKAT = 263;
  static final int UTIMENSAT = 280;
  static final int TIMERFD_CREATE = 283;
  static final int FALLOCATE = 285;
  static final int TIMERFD_SETTIME = 286;
  static final int SIGNALFD4 = 289;
  static final int EVENTFD2 = 290;
  static final int EPOLL_CREATE1 = 291;
  static final int DUP3 = 292;
  static final int PIPE2 = 293;
  static final int INOTIFY_INIT1 = 294;
  static final int MEMFD_CREATE = 319;
  static final int PIDFD_OPEN = 434;
  static final int OPENAT2 = 437;
  static final int PIDFD_GETFD = 438;

  static final int F_GETFD = 1;
  static final int F_SETFD = 2;
  static final int F_GETFL = 3;
  static final int F_SETFL = 4;
  static final int F_SETLK = 6;
  static final int F_OFD_SETLK = 37;
  static final int F_DUPFD_CLOEXEC = 1030;
  static final int F_SETPIPE_SZ = 1031;
  static final int F_ADD_SEALS = 1033;
  static final int F_GET_SEALS = 1034;

  private Calls() {}
}
