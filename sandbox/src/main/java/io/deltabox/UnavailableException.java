package io.deltabox;

/** This machine or this user lacks something a sandbox needs; the message names it. */
public final class UnavailableException extends SandboxException {
  private static final long serialVersionUID = 1L;

  public UnavailableException(String message) {
    super(message);
  }
}
