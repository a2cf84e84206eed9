package io.deltabox.store;

import java.io.IOException;

/** A store could not do what it was asked; the subtypes say what can be done about it. */
public class StoreException extends IOException {
  private static final long serialVersionUID = 1;

  public StoreException(String message) {
    super(message);
  }

  public StoreException(String message, Throwable cause) {
    super(message, cause);
  }
}
