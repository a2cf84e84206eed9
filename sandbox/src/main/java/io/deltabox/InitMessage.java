package io.deltabox;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A report of pid 1, as {@code protocol.h} lays it out. The sender is inside the sandbox: values
 * are checked where they are used.
 */
record InitMessage(Kind kind, int exec, int pid, int status, int stage, int generation) {
  static final int BYTES = 24;

  /** Kinds in the order of their numbers, from 1. */
  enum Kind {
    HELLO,
    READY,
    BROKEN,
    STARTED,
    FAILED,
    EXITED
  }

  /** Reads one, or null if it is none. */
  static @Nullable InitMessage parse(ByteBuffer bytes) {
    int kind = bytes.getInt(0);
    Kind[] kinds = Kind.values();
    if (kind < 1 || kind > kinds.length) {
      return null;
    }
    return new InitMessage(
        kinds[kind - 1],
        bytes.getInt(4),
        bytes.getInt(8),
        bytes.getInt(12),
        bytes.getInt(16),
        bytes.getInt(20));
  }
}
