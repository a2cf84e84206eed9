package io.deltabox.capture.descriptors;

import io.deltabox.capture.CaptureException;
import java.io.IOException;

/** Character devices without state of their own. */
final class DeviceRules implements KindRules {
  @Override
  public boolean same(OpenFile current, OpenFile target, Run run) {
    return current.kind() == target.kind()
        && current.status().rdev() == target.status().rdev()
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

  @Override
  public int make(OpenFile target, Run run) throws IOException {
    int place = run.place(target.link());
    long rdev = run.kernel().stat(place).rdev();
    if (rdev != target.status().rdev()) {
      throw new CaptureException(
          "open again failed: the path leads to another device, path="
              + target.link()
              + " device="
              + Long.toHexString(rdev));
    }
    int flags = target.status().flags() & ~(Flags.O_ASYNC | Flags.O_NOFOLLOW);
    return run.own(run.kernel().reopen(place, flags | Flags.O_NOCTTY));
  }
}
