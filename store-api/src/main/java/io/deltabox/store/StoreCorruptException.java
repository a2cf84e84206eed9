package io.deltabox.store;

/**
 * What is stored is not what was written. Nothing of it is handed out; the message names what is
 * damaged.
 */
public final class StoreCorruptException extends StoreException {
  private static final long serialVersionUID = 1;

  public StoreCorruptException(String message) {
    super(message);
  }

  public StoreCorruptException(String message, Throwable cause) {
    super(message, cause);
  }
}
