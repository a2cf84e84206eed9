package io.deltabox;

/** An id prefix or a name fits more than one thing; the message lists them. */
public final class AmbiguousException extends SandboxException {
  private static final long serialVersionUID = 1L;

  public AmbiguousException(String message) {
    super(message);
  }
}
