package io.deltabox;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * The state of a sandbox while it is being opened on a thread of its own: trackers and buffers take
 * longer than the sandbox itself, and its first command need not wait for them. What was written
 * before they are ready is found by the first look at everything.
 */
final class OpeningState {
  private final FutureTask<SandboxState> opening;

  private final String whenFailed;

  /**
   * @param whenFailed what a failure means, before its own message
   */
  OpeningState(Callable<SandboxState> open, String whenFailed) {
    this.whenFailed = whenFailed;
    opening = new FutureTask<>(open);
    Thread thread = new Thread(opening, "deltabox-open");
    thread.setDaemon(true);
    thread.start();
  }

  /** Waits until it is open. */
  SandboxState get() throws IOException {
    try {
      return opening.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while the state of a sandbox was being opened");
    } catch (ExecutionException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new SandboxException(whenFailed + cause.getMessage(), cause);
    }
  }

  /** Ends it as soon as it is open; it borrows what its sandbox closes next, so this waits. */
  List<RestorePoint> end() {
    List<RestorePoint> outliving = List.of();
    boolean interrupted = false;
    while (true) {
      try {
        outliving = opening.get().end();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      } catch (ExecutionException failedToOpen) {
        break;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return outliving;
  }
}
