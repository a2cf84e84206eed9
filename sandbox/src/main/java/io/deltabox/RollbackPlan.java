package io.deltabox;

import java.util.List;

/**
 * What a rollback would do at this moment; made by {@link Sandbox#planRollback}.
 *
 * @param target the snapshot it would put the sandbox back to
 * @param steps what becomes of each process, by pid
 * @param processesEnded processes that would be ended; those that are made again are among them
 * @param processesMade processes that would be made again
 * @param files names that would change, sorted by path, seen from now to the target; what is
 *     written through a shared mapping shows only when its file is compared in the rollback itself
 */
public record RollbackPlan(
    Snapshot target,
    List<Step> steps,
    int processesEnded,
    int processesMade,
    List<SnapshotDiff.FileChange> files) {
  public RollbackPlan {
    steps = List.copyOf(steps);
    files = List.copyOf(files);
  }

  /** How many processes a certain thing would happen to. */
  public long count(Action action) {
    return steps.stream().filter(step -> step.action() == action).count();
  }

  /** What becomes of a process, from the least to the most. */
  public enum Action {
    /** It lives on and is put back. */
    EDIT("edit"),
    /** It lives on, but has become another program: its old one is executed again. */
    EXECUTE("execute"),
    /** It is made again under its pid. */
    REBUILD("rebuild"),
    /** It is made again because its parent, its child or the leader of its session or group is. */
    REBUILD_TREE("rebuild tree"),
    /** It ends. */
    END("end");

    private final String text;

    Action(String text) {
      this.text = text;
    }

    /** As it is printed. */
    public String text() {
      return text;
    }
  }

  /**
   * One process.
   *
   * @param pid its number inside
   * @param reason why it is more than edited, as the end of a sentence about it; else empty
   * @param pageCount pages of its memory that may have to be written
   * @param threadsEnded threads it did not have then
   * @param threadsMade threads of it that have ended since
   */
  public record Step(
      int pid,
      String name,
      Action action,
      String reason,
      long pageCount,
      int threadsEnded,
      int threadsMade) {}
}
