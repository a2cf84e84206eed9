package io.deltabox.capture;

import org.jspecify.annotations.Nullable;

/**
 * A rollback failed after it had begun to edit the sandbox, which is neither what it was nor what
 * was wanted: it has to be ended.
 */
public final class RollbackLostException extends CaptureException {
  private static final long serialVersionUID = 1L;

  RollbackLostException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
