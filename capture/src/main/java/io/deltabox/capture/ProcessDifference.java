package io.deltabox.capture;

/**
 * A process that differs between two snapshots.
 *
 * @param pid its number inside
 * @param pages pages of private memory that differ
 */
public record ProcessDifference(int pid, String name, Kind kind, long pages) {
  /** Seen from the first snapshot to the second. */
  public enum Kind {
    ADDED,
    REMOVED,
    CHANGED
  }
}
