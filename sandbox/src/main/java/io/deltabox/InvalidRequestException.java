package io.deltabox;

/** What was asked cannot be meant: an empty command, a zero limit, a name with a slash. */
public final class InvalidRequestException extends SandboxException {
  private static final long serialVersionUID = 1L;

  public InvalidRequestException(String message) {
    super(message);
  }
}
