package io.deltabox;

/** There is no sandbox, snapshot or command of that id or name. */
public final class NotFoundException extends SandboxException {
  private static final long serialVersionUID = 1L;

  public NotFoundException(String message) {
    super(message);
  }
}
