package io.deltabox.snapshot;

import java.io.InterruptedIOException;

/** Lets writers in, or one sweep: what is swept must not be what somebody is about to refer to. */
final class Gate {
  private int writers;
  private boolean sweeping;

  /** Waits while a sweep runs. */
  synchronized void enter() throws InterruptedIOException {
    await(true);
    writers++;
  }

  synchronized void leave() {
    writers--;
    notifyAll();
  }

  /** Waits for a moment without writers; new ones are let in until then. */
  synchronized void enterAlone() throws InterruptedIOException {
    await(false);
    sweeping = true;
  }

  synchronized void leaveAlone() {
    sweeping = false;
    notifyAll();
  }

  private void await(boolean asWriter) throws InterruptedIOException {
    try {
      while (sweeping || (!asWriter && writers > 0)) {
        wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting for a sweep");
    }
  }
}
