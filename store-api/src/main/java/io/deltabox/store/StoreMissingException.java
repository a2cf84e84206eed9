package io.deltabox.store;

/** What was asked for is not there. */
public final class StoreMissingException extends StoreException {
  private static final long serialVersionUID = 1;

  public StoreMissingException(String message) {
    super(message);
  }

  public StoreMissingException(String message, Throwable cause) {
    super(message, cause);
  }
}
