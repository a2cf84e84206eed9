package io.deltabox.capture;

/**
 * Numbers of the calls the engine injects, and their flags; x86-64. Each must be let through by the
 * sandbox's own seccomp filter.
 */
final class Sys {
  static final int CLOSE = 3;
  static final int MMAP = 9;
  static final int MPROTECT = 10;
  static final int MUNMAP = 11;
  static final int BRK = 12;
  static final int RT_SIGACTION = 13;
  static final int MADVISE = 28;
  static final int MREMAP = 25;
  static final int SETITIMER = 38;
  static final int EXECVE = 59;
  static final int WAIT4 = 61;
  static final int IOCTL = 16;
  static final int SETPGID = 109;
  static final int SETSID = 112;
  static final int SETGROUPS = 116;
  static final int SETRESUID = 117;
  static final int SETRESGID = 119;
  static final int CAPSET = 126;
  static final int RT_SIGTIMEDWAIT = 128;
  static final int RT_SIGQUEUEINFO = 129;
  static final int SIGALTSTACK = 131;
  static final int PERSONALITY = 135;
  static final int PRCTL = 157;
  static final int FTRUNCATE = 77;
  static final int SET_TID_ADDRESS = 218;
  static final int CLOCK_GETTIME = 228;
  static final int OPENAT = 257;
  static final int SET_ROBUST_LIST = 273;
  static final int TIMER_CREATE = 222;
  static final int TIMER_SETTIME = 223;
  static final int TIMER_DELETE = 226;
  static final int RT_TGSIGQUEUEINFO = 297;
  static final int MEMFD_CREATE = 319;

  static final int RSEQ = 334;
  static final int CLOSE_RANGE = 436;

  static final int RSEQ_FLAG_UNREGISTER = 1;
  static final int AT_FDCWD = -100;
  static final int O_RDONLY = 0;
  static final int O_RDWR = 2;
  static final int O_CLOEXEC = 0x80000;
  static final int MAP_SHARED = 1;
  static final int MAP_PRIVATE = 2;
  static final int MAP_DROPPABLE = 8;
  static final int MAP_FIXED = 0x10;
  static final int MAP_ANONYMOUS = 0x20;
  static final int MAP_GROWSDOWN = 0x100;
  static final int MAP_NORESERVE = 0x4000;
  static final int MADV_NORMAL = 0;
  static final int MADV_RANDOM = 1;
  static final int MADV_SEQUENTIAL = 2;

  /** Drops pages that are locked, too (Linux 5.18). */
  static final int MADV_DONTNEED_LOCKED = 24;

  static final int MADV_DONTFORK = 10;
  static final int MADV_DOFORK = 11;
  static final int MADV_HUGEPAGE = 14;
  static final int MADV_NOHUGEPAGE = 15;
  static final int MADV_DONTDUMP = 16;
  static final int MADV_DODUMP = 17;
  static final int MADV_WIPEONFORK = 18;
  static final int MADV_KEEPONFORK = 19;
  static final int PR_SET_PDEATHSIG = 1;
  static final int PR_SET_DUMPABLE = 4;
  static final int PR_SET_KEEPCAPS = 8;
  static final int PR_SET_NAME = 15;
  static final int PR_TIMER_CREATE_RESTORE_IDS = 77;
  static final int PR_TIMER_CREATE_RESTORE_IDS_OFF = 0;
  static final int PR_TIMER_CREATE_RESTORE_IDS_ON = 1;
  static final int PR_TIMER_CREATE_RESTORE_IDS_GET = 2;
  static final int PR_CAPBSET_DROP = 24;
  static final int PR_SET_SECUREBITS = 28;
  static final int PR_SET_MM = 35;
  static final int PR_SET_MM_MAP = 14;
  static final int PR_SET_CHILD_SUBREAPER = 36;
  static final int PR_SET_NO_NEW_PRIVS = 38;
  static final int PR_CAP_AMBIENT = 47;
  static final int PR_CAP_AMBIENT_RAISE = 2;
  static final int PR_CAP_AMBIENT_CLEAR_ALL = 4;
  static final int MREMAP_MAYMOVE = 1;
  static final int MREMAP_FIXED = 2;
  static final int WNOHANG = 1;
  static final int WALL = 0x40000000;

  private Sys() {}
}
