package io.deltabox.capture;

/**
 * Something inside the sandbox cannot be checkpointed. The message names the process, the thing,
 * the reason and the way out.
 */
public final class UnsupportedException extends CaptureException {
  private static final long serialVersionUID = 1L;

  public UnsupportedException(String message) {
    super(message);
  }
}
