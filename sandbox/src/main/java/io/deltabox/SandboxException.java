package io.deltabox;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Something asked of a box or a sandbox did not happen. The message is one line that names the
 * thing and the way out; subclasses say what the caller can do.
 */
public class SandboxException extends IOException {
  private static final long serialVersionUID = 1L;

  public SandboxException(String message) {
    super(message);
  }

  public SandboxException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
