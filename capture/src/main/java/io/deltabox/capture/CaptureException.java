package io.deltabox.capture;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint or a rollback did not happen; unless a subclass or the message says otherwise the
 * sandbox runs on as it was.
 */
public class CaptureException extends IOException {
  private static final long serialVersionUID = 1L;

  public CaptureException(String message) {
    super(message);
  }

  public CaptureException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
