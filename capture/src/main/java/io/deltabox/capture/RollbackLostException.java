package io.deltabox.capture;

import org.jspecify.annotations.Nullable;

/**
 * A rollback failed after it had begun to edit the sandbox, which is neither what it was nor what
 * was wanted: it has to be ended.
 */
public final class RollbackLostException extends CaptureException {
  private static final long serialVersionUID = 1L;

  private final String reason;

  /**
   * @param failed what was being done
   */
  RollbackLostException(CapturePhase failed, String message, @Nullable Throwable cause) {
    super("rollback failed half-way: " + message + " step=" + failed.step(), cause);
    this.reason = "a step of the rollback failed: " + message + " step=" + failed.step();
  }

  /** Which step failed and why, for whoever finishes the rollback in another way. */
  public String reason() {
    return reason;
  }
}
