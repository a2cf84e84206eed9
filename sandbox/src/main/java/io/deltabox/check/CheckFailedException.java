package io.deltabox.check;

import java.io.IOException;
import java.util.List;

/**
 * The independent reader found that a rollback did not bring the state back it was to bring back.
 */
public final class CheckFailedException extends IOException {
  private static final long serialVersionUID = 1L;
  private static final int SHOWN_MAX = 8;

  @SuppressWarnings("serial")
  private final List<Difference> differences;

  CheckFailedException(String snapshot, List<Difference> differences) {
    super(message(snapshot, differences));
    this.differences = List.copyOf(differences);
  }

  /** What differs, at most a thousand. */
  public List<Difference> differences() {
    return differences;
  }

  private static String message(String snapshot, List<Difference> differences) {
    StringBuilder text = new StringBuilder("state after rollback is not that of the snapshot: ");
    for (Difference difference : differences.subList(0, Math.min(SHOWN_MAX, differences.size()))) {
      text.append(difference).append("; ");
    }
    return text + "snapshot=" + snapshot + " differences=" + differences.size();
  }
}
