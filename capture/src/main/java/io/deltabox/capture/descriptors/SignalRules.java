package io.deltabox.capture.descriptors;

import java.io.IOException;

/** Descriptors that signals are read from: a mask and nothing else. */
final class SignalRules implements KindRules {
  private static final int MASK_BYTES = 8;

  private static long mask(OpenFile file) {
    return Info.number(file.info(), "sigmask:", 16);
  }

  @Override
  public boolean same(OpenFile current, OpenFile target, Run run) {
    return current.kind() == FileKind.SIGNALFD;
  }

  @Override
  public boolean differs(OpenFile current, OpenFile target, Run run) {
    return KindRules.flagsDiffer(current, target) || mask(current) != mask(target);
  }

  @Override
  public void edit(int fd, OpenFile current, OpenFile target, Run run) throws IOException {
    KindRules.setFlags(fd, current, target, run);
    set(fd, target, run);
  }

  private static int set(int fd, OpenFile target, Run run) throws IOException {
    Kernel kernel = run.kernel();
    kernel.buffer(MASK_BYTES).putLong(mask(target));
    int flags = Flags.O_CLOEXEC | (target.status().flags() & Flags.O_NONBLOCK);
    return (int) kernel.check("signalfd", Calls.SIGNALFD4, fd, kernel.address(), MASK_BYTES, flags);
  }

  @Override
  public int make(OpenFile target, Run run) throws IOException {
    return run.own(set(-1, target, run));
  }
}
