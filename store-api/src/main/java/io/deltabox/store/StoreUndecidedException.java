package io.deltabox.store;

/**
 * It is not known whether a conditional change happened, and it may still happen. Read back before
 * anything else.
 */
public final class StoreUndecidedException extends StoreException {
  private static final long serialVersionUID = 1;

  public StoreUndecidedException(String message) {
    super(message);
  }

  public StoreUndecidedException(String message, Throwable cause) {
    super(message, cause);
  }
}
