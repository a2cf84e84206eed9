package io.deltabox.store;

/** There is no room. Nothing was changed; room must be made first. */
public final class StoreFullException extends StoreException {
  private static final long serialVersionUID = 1;

  public StoreFullException(String message) {
    super(message);
  }

  public StoreFullException(String message, Throwable cause) {
    super(message, cause);
  }
}
