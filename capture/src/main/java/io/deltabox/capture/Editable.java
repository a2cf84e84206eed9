package io.deltabox.capture;

import java.util.Arrays;

/**
 * Differences between a living process and its snapshot that no call can undo: the process would
 * have to be made again.
 */
final class Editable {
  private Editable() {}

  static void check(ProcessState now, ProcessState then) throws CaptureException {
    if (now.zombie() || now.leaderDead()) {
      throw Rollback.gone(then, "has ended since");
    }
    if (now.execed() || now.isNew()) {
      throw Rollback.gone(then, "has become another program since (execve)");
    }
    if (now.session() != then.session()) {
      throw Rollback.gone(then, "has left its session since (setsid)");
    }
    if (now.innerParent() != then.innerParent()) {
      throw Rollback.gone(then, "has another parent since");
    }
    if (!Arrays.equals(now.ids(), then.ids())) {
      throw Rollback.gone(then, "has changed its user or group since");
    }
    if (now.noNewPrivileges() != then.noNewPrivileges()) {
      throw Rollback.gone(then, "has given up gaining privileges since (no_new_privs)");
    }
    if (now.threads().stream().noneMatch(t -> t.inner() == then.inner())) {
      throw Rollback.gone(then, "has lost its main thread since");
    }
  }
}
