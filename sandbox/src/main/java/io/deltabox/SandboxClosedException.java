package io.deltabox;

/** The sandbox has ended: it was closed, its pid 1 died or its box was closed. */
public final class SandboxClosedException extends SandboxException {
  private static final long serialVersionUID = 1L;

  public SandboxClosedException(String message) {
    super(message);
  }

  SandboxClosedException(String message, Throwable cause) {
    super(message);
    initCause(cause);
  }
}
