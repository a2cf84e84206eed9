package io.deltabox;

/** A command could not be started; nothing of it ran. */
public final class StartException extends SandboxException {
  private static final long serialVersionUID = 1L;

  /** What could not be done. */
  public enum Reason {
    /** There is no such program, or it lies under a path this sandbox does not show. */
    PROGRAM_NOT_FOUND,
    /** The program is there but cannot be run: rights, format, a directory. */
    PROGRAM_NOT_RUNNABLE,
    /** The working directory is missing or cannot be entered. */
    WORKING_DIRECTORY,
    /** The kernel refused something else, for example the limit of processes is reached. */
    SYSTEM
  }

  private final Reason reason;

  public StartException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  /** What could not be done. */
  public Reason reason() {
    return reason;
  }
}
