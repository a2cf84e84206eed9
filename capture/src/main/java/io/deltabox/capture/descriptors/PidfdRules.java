package io.deltabox.capture.descriptors;

import io.deltabox.capture.CaptureException;
import io.deltabox.capture.StoppedProcess;
import java.io.IOException;

/** Descriptors of processes, by the number the process has inside the sandbox. */
final class PidfdRules implements KindRules {
  /** The innermost number; -1 when the process has been reaped. */
  static int process(OpenFile file) {
    String numbers = Info.find(file.info(), "NSpid:");
    if (numbers == null || numbers.isEmpty()) {
      return -1;
    }
    return Integer.parseInt(numbers.substring(numbers.lastIndexOf("\t") + 1).trim());
  }

  private static int outer(OpenFile file) {
    return (int) Info.number(file.info(), "Pid:", 10);
  }

  @Override
  public boolean same(OpenFile current, OpenFile target, Run run) {
    if (current.kind() != FileKind.PIDFD || process(current) != process(target)) {
      return false;
    }
    StoppedProcess living = run.processes().get(process(target));
    return living == null || living.pid() == outer(current);
  }

  @Override
  public boolean differs(OpenFile current, OpenFile target, Run run) {
    return KindRules.flagsDiffer(current, target);
  }

  @Override
  public void edit(int fd, OpenFile current, OpenFile target, Run run) throws IOException {
    KindRules.setFlags(fd, current, target, run);
  }

  @Override
  public int make(OpenFile target, Run run) throws IOException {
    StoppedProcess living = run.processes().get(process(target));
    if (living == null) {
      throw new CaptureException(
          "open a pidfd again failed: its process is not alive, process="
              + process(target)
              + " "
              + target);
    }
    int flags = target.status().flags() & Flags.O_NONBLOCK;
    return run.own(
        (int) run.kernel().check("pidfd_open", Calls.PIDFD_OPEN, living.pid(), flags, 0, 0));
  }
}
