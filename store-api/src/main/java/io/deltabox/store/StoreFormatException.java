package io.deltabox.store;

/**
 * The store was written by a version that this one cannot read, or is no store of this kind at all.
 */
public final class StoreFormatException extends StoreException {
  private static final long serialVersionUID = 1;

  public StoreFormatException(String message) {
    super(message);
  }

  public StoreFormatException(String message, Throwable cause) {
    super(message, cause);
  }
}
