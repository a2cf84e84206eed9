package io.deltabox.capture;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The plan of a rollback, process by process, as it is told to people. */
final class RollbackSteps {
  private final PageStore store;
  private final MemoryWork work;
  private final SnapshotState wanted;

  RollbackSteps(PageStore store, MemoryWork work, SnapshotState wanted) {
    this.store = store;
    this.work = work;
    this.wanted = wanted;
  }

  /**
   * @param living processes that stay, by number inside
   * @param extras processes that end, some of them to be made again
   */
  List<RollbackPreview.Step> list(
      ProcessPlan plan, Map<Integer, LiveProcess> living, List<ProcessState> extras) {
    List<RollbackPreview.Step> steps = new ArrayList<>();
    for (ProcessPlan.Decision decision : plan.decisions().values()) {
      ProcessSnapshot then = wanted.processes().get(decision.then().number());
      if (then != null) {
        steps.add(step(decision, then, living.get(decision.then().number())));
      }
    }
    for (ProcessState extra : extras) {
      if (!plan.decisions().containsKey(extra.inner())) {
        steps.add(ended(extra));
      }
    }
    steps.sort(Comparator.comparingInt(RollbackPreview.Step::pid));
    return steps;
  }

  private RollbackPreview.Step step(
      ProcessPlan.Decision decision, ProcessSnapshot then, @Nullable LiveProcess now) {
    boolean edited = decision.fate() == ProcessPlan.Fate.EDIT && now != null;
    long pages = PageMap.EMPTY.differences(then.pages());
    if (edited && now != null) {
      PageRestore restore = new PageRestore(now, then, store);
      restore.plan(work.of(now.pid()), List.of());
      pages = restore.candidates();
    }
    return new RollbackPreview.Step(
        then.state().inner(),
        then.state().name(),
        action(decision),
        decision.reason().text(),
        then.state().zombie() ? 0 : pages,
        edited && now != null ? missing(now.state(), then.state()) : 0,
        edited && now != null ? missing(then.state(), now.state()) : 0);
  }

  /** How many threads of one state the other one lacks. */
  private static int missing(ProcessState of, ProcessState in) {
    return (int) of.threads().stream().filter(t -> in.thread(t.inner()) == null).count();
  }

  private static RollbackPreview.Step ended(ProcessState extra) {
    return new RollbackPreview.Step(
        extra.inner(),
        extra.name(),
        RollbackPreview.Action.END,
        "was not there at the snapshot",
        0,
        0,
        0);
  }

  private static RollbackPreview.Action action(ProcessPlan.Decision decision) {
    return switch (decision.fate()) {
      case EDIT -> RollbackPreview.Action.EDIT;
      case EXECUTE -> RollbackPreview.Action.EXECUTE;
      case MAKE ->
          decision.reason().ofAnother()
              ? RollbackPreview.Action.REBUILD_TREE
              : RollbackPreview.Action.REBUILD;
    };
  }
}
