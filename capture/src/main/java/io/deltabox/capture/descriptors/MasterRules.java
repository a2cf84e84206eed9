package io.deltabox.capture.descriptors;

import io.deltabox.capture.CaptureException;
import java.io.IOException;

/** The terminal emulator's side of ptys inside the sandbox. */
final class MasterRules implements KindRules {
  private static final int GET_NUMBER = 0x80045430;
  private static final int SET_LOCK = 0x40045431;

  /** Free numbers below the wanted one that are passed over. */
  private static final int TRIES_MAX = 256;

  @Override
  public boolean same(OpenFile current, OpenFile target, Run run) {
    return current.kind() == FileKind.PTY_MASTER
        && TerminalRules.index(current) == TerminalRules.index(target)
        && KindRules.sameMode(current, target);
  }

  @Override
  public boolean differs(OpenFile current, OpenFile target, Run run) {
    return KindRules.flagsDiffer(current, target);
  }

  @Override
  public void edit(int fd, OpenFile current, OpenFile target, Run run) throws IOException {
    KindRules.setFlags(fd, current, target, run);
  }

  /** The kernel gives the lowest free number, so masters are opened until the wanted one comes. */
  @Override
  public int make(OpenFile target, Run run) throws IOException {
    int wanted = TerminalRules.index(target);
    int place = run.place(target.link());
    int flags = target.status().flags() & ~Flags.O_ASYNC;
    Kernel kernel = run.kernel();
    for (int tries = 0; tries < TRIES_MAX; tries++) {
      int fd = run.own(kernel.reopen(place, flags | Flags.O_NOCTTY));
      kernel.check(
          "number of a pty", Calls.IOCTL, fd, GET_NUMBER & 0xffffffffL, kernel.address(), 0);
      if (kernel.buffer(4).getInt() == wanted) {
        TerminalState state = run.target().contents().terminals().get(wanted);
        kernel.buffer(4).putInt(state != null && state.locked() ? 1 : 0);
        kernel.check("lock a pty", Calls.IOCTL, fd, SET_LOCK, kernel.address(), 0);
        return fd;
      }
    }
    throw new CaptureException(
        "make a pty again failed: its number is taken, number=" + wanted + " " + target);
  }
}
