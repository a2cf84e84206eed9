package io.deltabox.store;

/** The store was opened, or lies, where nothing can be written. Nothing was changed. */
public final class StoreReadOnlyException extends StoreException {
  private static final long serialVersionUID = 1;

  public StoreReadOnlyException(String message) {
    super(message);
  }

  public StoreReadOnlyException(String message, Throwable cause) {
    super(message, cause);
  }
}
