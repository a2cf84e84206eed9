package io.deltabox.capture.descriptors;

import java.io.IOException;

/** How open file descriptions of one kind are compared, edited and made again. */
interface KindRules {
  /** When a new one is made, relative to the closing of what the target does not have. */
  enum Making {
    /** While all current descriptors are still open: the new one may be derived from another. */
    BEFORE_CLOSING,
    /** After: it may need a port, an address or a terminal number that must be free. */
    AFTER_CLOSING
  }

  /** Whether the current one can become the wanted one by editing. */
  boolean same(OpenFile current, OpenFile target, Run run) throws IOException;

  /** Whether it has to be edited. */
  boolean differs(OpenFile current, OpenFile target, Run run) throws IOException;

  /** Edits it through a borrowed descriptor of the daemon. */
  void edit(int fd, OpenFile current, OpenFile target, Run run) throws IOException;

  /** Makes a new one, wholly in the wanted state; the descriptor belongs to the caller. */
  int make(OpenFile target, Run run) throws IOException;

  default Making making() {
    return Making.BEFORE_CLOSING;
  }

  /** Whether flags that can be set differ. */
  static boolean flagsDiffer(OpenFile current, OpenFile target) {
    return ((current.status().flags() ^ target.status().flags()) & Flags.SETTABLE) != 0;
  }

  /** Whether what open(2) fixes for ever is the same. */
  static boolean sameMode(OpenFile current, OpenFile target) {
    int fixed = Flags.O_ACCMODE | Flags.O_PATH | Flags.O_SYNC;
    return ((current.status().flags() ^ target.status().flags()) & fixed) == 0;
  }

  /** Sets the flags, leaving alone signal-driven input whose owner only the program can name. */
  static void setFlags(int fd, OpenFile current, OpenFile target, Run run) throws IOException {
    if (flagsDiffer(current, target)) {
      int async = current.status().flags() & Flags.O_ASYNC;
      run.kernel().setFlags(fd, (target.status().flags() & ~Flags.O_ASYNC) | async);
    }
  }
}
