package io.deltabox.snapshot.refs;

import java.util.UUID;

/**
 * A name as it was found.
 *
 * @param generation how often it was moved since it was made; the first is 1
 */
public record Name(String text, UUID snapshot, long generation) {
  public Name {
    if (generation <= 0) {
      throw new IllegalArgumentException("generation must be positive: found=" + generation);
    }
  }
}
