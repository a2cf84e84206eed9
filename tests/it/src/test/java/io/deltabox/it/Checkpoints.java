package io.deltabox.it;

import io.deltabox.RollbackResult;
import io.deltabox.Sandbox;
import io.deltabox.Snapshot;
import io.deltabox.UnavailableException;
import java.io.IOException;

/** Checkpoint and rollback with the independent check on. */
final class Checkpoints {
  /** A result and the pause it took, without the time of the check. */
  record Timed<T>(T value, long nanos) {}

  private Checkpoints() {}

  static Timed<Snapshot> checkpoint(Sandbox sandbox) throws IOException {
    Snapshot snapshot;
    try {
      snapshot = sandbox.checkpoint();
    } catch (UnavailableException e) {
      Unavailable.require(false, "checkpoint: " + e.getMessage());
      throw e;
    }
    return new Timed<>(snapshot, snapshot.stats().pauseNanos());
  }

  static Timed<RollbackResult> rollback(Sandbox sandbox, Snapshot target) throws IOException {
    RollbackResult result = sandbox.rollback(target);
    return new Timed<>(result, result.pauseNanos());
  }
}
