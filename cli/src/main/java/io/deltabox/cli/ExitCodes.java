package io.deltabox.cli;

import io.deltabox.AmbiguousException;
import io.deltabox.InvalidRequestException;
import io.deltabox.NotFoundException;
import io.deltabox.StartException;
import io.deltabox.UnavailableException;
import io.deltabox.capture.UnsupportedException;

/** The exit codes of the command, as documented in the README. */
public final class ExitCodes {
  public static final int OK = 0;

  /** What was asked for did not happen. */
  public static final int FAILED = 1;

  /** The command line cannot be meant. */
  public static final int USAGE = 2;

  /** This machine or user lacks a feature or a program. */
  public static final int UNAVAILABLE = 3;

  /** No such sandbox, snapshot or command, or the prefix fits several. */
  public static final int NOT_FOUND = 4;

  /** Something inside the sandbox cannot be checkpointed. */
  public static final int UNSUPPORTED = 5;

  /** A command inside was over its time. */
  public static final int TIMED_OUT = 124;

  /** A command inside could not be started or has no exit code of its own. */
  public static final int NOT_STARTED = 125;

  /** A program inside cannot be run. */
  public static final int NOT_RUNNABLE = 126;

  /** A program is not there inside. */
  public static final int PROGRAM_NOT_FOUND = 127;

  /** Plus the number of the signal that ended it. */
  public static final int SIGNALED = 128;

  private ExitCodes() {}

  /** The code for a failure. */
  public static int of(Throwable failure) {
    if (failure instanceof NotFoundException || failure instanceof AmbiguousException) {
      return NOT_FOUND;
    }
    if (failure instanceof InvalidRequestException) {
      return USAGE;
    }
    if (failure instanceof UnavailableException) {
      return UNAVAILABLE;
    }
    if (failure instanceof UnsupportedException) {
      return UNSUPPORTED;
    }
    if (failure instanceof StartException start) {
      return switch (start.reason()) {
        case PROGRAM_NOT_FOUND -> PROGRAM_NOT_FOUND;
        case PROGRAM_NOT_RUNNABLE -> NOT_RUNNABLE;
        case WORKING_DIRECTORY, SYSTEM -> NOT_STARTED;
      };
    }
    return FAILED;
  }
}
