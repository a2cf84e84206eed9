package io.deltabox.capture;

import java.nio.ByteBuffer;

/**
 * Where the time of a pause went, nanoseconds each.
 *
 * @param total from the first stop request to the last thread let go
 */
public record WindowTimes(
    long stop,
    long registers,
    long scan,
    long copy,
    long descriptors,
    long files,
    long resume,
    long total) {
  /** Bytes of {@code struct dbx_window}. */
  static final int BYTES = 104;

  static final int NEED = 64;
  static final int PAGES = 72;
  static final int PROCESSES = 80;
  static final int THREADS = 88;
  static final int CULPRIT = 96;
  static final int STEP = 100;

  static WindowTimes read(ByteBuffer window) {
    return new WindowTimes(
        window.getLong(0),
        window.getLong(8),
        window.getLong(16),
        window.getLong(24),
        window.getLong(32),
        window.getLong(40),
        window.getLong(48),
        window.getLong(56));
  }
}
