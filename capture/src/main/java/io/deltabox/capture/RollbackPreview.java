package io.deltabox.capture;

import io.deltabox.capture.files.FileChange;
import java.util.List;

/**
 * What a rollback would do at this moment.
 *
 * @param steps one per process that lives or is to live, by number inside
 * @param processesEnded as {@link RollbackReport} would count them
 * @param processesMade the same
 * @param files what differs now from the target, seen from now; files that are written through a
 *     mapping and have raised no event are not among them
 */
public record RollbackPreview(
    List<Step> steps, int processesEnded, int processesMade, List<FileChange> files) {
  public RollbackPreview {
    steps = List.copyOf(steps);
    files = List.copyOf(files);
  }

  /** What becomes of a process, from the least to the most. */
  public enum Action {
    /** Calls in the living process put it back. */
    EDIT,
    /** It lives, and its old program is executed in it again. */
    EXECUTE,
    /** It is made again. */
    REBUILD,
    /** It is made again because of another one: its parent, its child, or its leader. */
    REBUILD_TREE,
    /** It ends: the target does not have it. */
    END
  }

  /**
   * One process.
   *
   * @param pid number inside
   * @param reason why it is not just edited; empty for one that is
   * @param pages pages of private memory that may have to be written; 0 for one that ends
   * @param threadsEnded threads the target does not have; 0 unless edited
   * @param threadsMade threads that have ended since; 0 unless edited
   */
  public record Step(
      int pid,
      String name,
      Action action,
      String reason,
      long pages,
      int threadsEnded,
      int threadsMade) {}
}
