package io.deltabox.check;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;

/** State of one thread beyond what {@code /proc} tells: registers, robust list, queued signals. */
final class ThreadState {
  /** Size of {@code struct dbx_check_thread}. */
  static final int BYTES = 8 * 37;

  private static final int REGS_BYTES = 27 * 8;
  private static final int XSTATE = REGS_BYTES + 8;
  private static final int SIGMASK = XSTATE + 16;
  private static final int RSEQ = SIGMASK + 8;
  private static final int ROBUST = RSEQ + 16;
  private static final int PENDING = ROBUST + 8;

  private static final String[] NAMES = {
    "r15",
    "r14",
    "r13",
    "r12",
    "rbp",
    "rbx",
    "r11",
    "r10",
    "r9",
    "r8",
    "rax",
    "rcx",
    "rdx",
    "rsi",
    "rdi",
    "orig_rax",
    "rip",
    "cs",
    "eflags",
    "rsp",
    "ss",
    "fs_base",
    "gs_base",
    "ds",
    "es",
    "fs",
    "gs"
  };
  private static final int RAX = 10;
  private static final int ORIG_RAX = 15;
  private static final int RIP = 16;

  private static final long SYSCALL_LENGTH = 2;

  private final ByteBuffer raw;

  private ThreadState(ByteBuffer raw) {
    this.raw = raw;
  }

  static ThreadState read(CheckFunctions functions, int tid, Memory scratch) throws IOException {
    Errno.check(
        functions.dbx_check_thread(tid, scratch.address()), "read state of a thread tid=" + tid);
    // The scratch memory is used again for the next thread.
    ByteBuffer copy = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    return new ThreadState(copy.put(scratch.slice(0, BYTES)).flip());
  }

  boolean traced() {
    return raw.getLong(REGS_BYTES) != 0;
  }

  long rseq() {
    return raw.getLong(RSEQ);
  }

  long rseqBytes() {
    return raw.getLong(RSEQ + 8);
  }

  void describe(String thread, Map<String, String> facts) {
    facts.put(thread + " robust list", Long.toHexString(raw.getLong(ROBUST)));
    if (!traced()) {
      return;
    }
    long[] regs = new long[NAMES.length];
    for (int i = 0; i < regs.length; i++) {
      regs[i] = raw.getLong(8 * i);
    }
    normalise(regs);
    for (int i = 0; i < regs.length; i++) {
      facts.put(thread + " " + NAMES[i], Long.toHexString(regs[i]));
    }
    facts.put(
        thread + " extended state",
        Long.toHexString(raw.getLong(XSTATE)) + Long.toHexString(raw.getLong(XSTATE + 8)));
    facts.put(thread + " signal mask", Long.toHexString(raw.getLong(SIGMASK)));
    facts.put(thread + " rseq", Long.toHexString(rseq()) + "+" + rseqBytes());
    facts.put(
        thread + " queued signals",
        raw.getLong(PENDING) + " " + Long.toHexString(raw.getLong(PENDING + 8)));
  }

  /**
   * Makes a thread that was interrupted in a system call look as if it were just about to make it:
   * the kernel does the same with the restart codes, and a restored thread has no other way. An
   * interrupted call that would have returned EINTR counts as the same, because whether the program
   * sees it is the matter of another test. Outside an interrupted call the number of the last one
   * means nothing.
   */
  private static void normalise(long[] regs) {
    boolean inCall = regs[ORIG_RAX] >= 0;
    long result = regs[RAX];
    boolean interrupted =
        result == -512 || result == -513 || result == -514 || result == -516 || result == -4;
    if (inCall && interrupted) {
      regs[RAX] = regs[ORIG_RAX];
      regs[RIP] -= SYSCALL_LENGTH;
    }
    regs[ORIG_RAX] = -1;
  }
}
