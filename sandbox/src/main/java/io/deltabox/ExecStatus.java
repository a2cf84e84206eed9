package io.deltabox;

/**
 * How a command is or ended.
 *
 * @param outcome what became of it
 * @param code exit code if {@code EXITED}, signal number if {@code SIGNALED}, else 0
 */
public record ExecStatus(Outcome outcome, int code) {
  /** What became of a command. */
  public enum Outcome {
    RUNNING,
    /** It ended by itself. */
    EXITED,
    /** A signal ended it. */
    SIGNALED,
    /** It was killed with all it had started because its time was over. */
    TIMED_OUT,
    /** The sandbox was put back to a time when it did not run. */
    ROLLED_BACK,
    /** The sandbox ended while it ran. */
    SANDBOX_ENDED
  }

  static final ExecStatus RUNNING = new ExecStatus(Outcome.RUNNING, 0);

  /** True unless it runs. */
  public boolean ended() {
    return outcome != Outcome.RUNNING;
  }

  /**
   * The shell's convention: the exit code, or 128 + signal; 124 for a time-out, 125 for the rest.
   */
  public int shellCode() {
    return switch (outcome) {
      case EXITED -> code;
      case SIGNALED -> 128 + code;
      case TIMED_OUT -> 124;
      case RUNNING, ROLLED_BACK, SANDBOX_ENDED -> 125;
    };
  }
}
