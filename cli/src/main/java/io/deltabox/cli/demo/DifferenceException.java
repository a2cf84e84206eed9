package io.deltabox.cli.demo;

import java.io.IOException;

/** Something is not as it was at the snapshot. */
final class DifferenceException extends IOException {
  private static final long serialVersionUID = 1L;

  DifferenceException(String message) {
    super(message);
  }
}
