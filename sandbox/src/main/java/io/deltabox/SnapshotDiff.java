package io.deltabox;

import java.util.List;

/**
 * What differs between two snapshots of one lineage.
 *
 * @param files changed names, sorted by path
 * @param processes processes that differ, sorted by pid
 */
public record SnapshotDiff(List<FileChange> files, List<ProcessChange> processes) {
  public SnapshotDiff {
    files = List.copyOf(files);
    processes = List.copyOf(processes);
  }

  /** Kind of a difference, seen from the first snapshot to the second. */
  public enum Kind {
    ADDED,
    REMOVED,
    CHANGED
  }

  /**
   * A name that differs.
   *
   * @param detail what changed, for people: {@code content, mode}
   */
  public record FileChange(String path, Kind kind, String detail) {}

  /**
   * A process that differs.
   *
   * @param dirtyPages pages that differ
   */
  public record ProcessChange(int pid, String command, Kind kind, long dirtyPages) {}
}
