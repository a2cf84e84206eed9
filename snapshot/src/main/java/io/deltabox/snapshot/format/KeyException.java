package io.deltabox.snapshot.format;

import io.deltabox.store.StoreException;

/**
 * The key is not there, is no key, may be read by others, or belongs to another store. Nothing was
 * read with it and nothing changed; the message says what to do.
 */
public final class KeyException extends StoreException {
  private static final long serialVersionUID = 1;

  public KeyException(String message) {
    super(message);
  }

  public KeyException(String message, Throwable cause) {
    super(message, cause);
  }
}
