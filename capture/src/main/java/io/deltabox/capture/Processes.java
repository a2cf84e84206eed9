package io.deltabox.capture;

import io.deltabox.capture.descriptors.DescriptorTable;
import io.deltabox.capture.descriptors.ProcessFiles;
import io.deltabox.capture.descriptors.Rights;
import java.util.ArrayList;
import java.util.List;

/** The processes of a rollback as its plan sees them, and what of the plan cannot be done. */
final class Processes {
  private static final String DELETED = " (deleted)";

  private Processes() {}

  /**
   * @param then the facts of the wanted snapshot
   */
  static ProcessPlan plan(WindowRecords records, DescriptorTable files, List<ProcessFacts> then) {
    List<ProcessFacts> now = new ArrayList<>();
    for (WindowRecords.Entry entry : records.entries().values()) {
      ProcessState state = entry.state();
      now.add(ProcessFacts.of(state, files.processes().get(state.inner())));
    }
    return ProcessPlan.of(now, then);
  }

  /** What the plan needs to know of a snapshot; found before anything is stopped. */
  static List<ProcessFacts> facts(SnapshotState wanted) {
    List<ProcessFacts> then = new ArrayList<>();
    for (ProcessSnapshot one : wanted.processes().values()) {
      ProcessFiles open = wanted.descriptors().processes().get(one.state().inner());
      then.add(ProcessFacts.of(one.state(), open));
    }
    return then;
  }

  static ProcessState find(WindowRecords records, int number) {
    for (WindowRecords.Entry entry : records.entries().values()) {
      ProcessState state = entry.state();
      if (state.inner() == number) {
        return state;
      }
    }
    throw new IllegalStateException("not there: pid=" + number);
  }

  /** Refuses what making processes again cannot do, before anything is touched. */
  static void refuse(ProcessPlan plan, SnapshotState wanted) throws CaptureException {
    for (ProcessPlan.Decision decision : plan.decisions().values()) {
      ProcessFacts one = decision.then();
      if (decision.fate() == ProcessPlan.Fate.MAKE && plan.cannotEnter(one)) {
        throw refused(
            decision,
            wanted,
            "nobody who could give birth to it is in its session: " + one.session());
      }
      if (decision.fate() == ProcessPlan.Fate.EDIT || one.zombie()) {
        continue;
      }
      if (one.program().endsWith(DELETED)) {
        throw refused(decision, wanted, "the file of its program had been removed at the snapshot");
      }
      if (one.root().endsWith(DELETED)) {
        throw refused(decision, wanted, "its root directory had been removed at the snapshot");
      }
      if (one.image() == null || one.rights() == null) {
        throw refused(decision, wanted, "the snapshot does not tell enough of it");
      }
      ProcessFacts parent = plan.parentOf(one);
      if (decision.fate() == ProcessPlan.Fate.MAKE && parent != null) {
        parent(decision, parent, wanted);
      }
    }
  }

  private static void parent(
      ProcessPlan.Decision decision, ProcessFacts parent, SnapshotState wanted)
      throws CaptureException {
    ProcessFacts one = decision.then();
    Rights has = one.rights();
    Rights gives = parent.rights();
    if (has == null || gives == null) {
      return;
    }
    if (has.filters() != gives.filters()) {
      throw refused(
          decision,
          wanted,
          "it had other system call filters than its parent, which no one can read");
    }
    boolean less =
        (has.permitted() & ~gives.permitted()) != 0 || (has.bounding() & ~gives.bounding()) != 0;
    boolean other = !one.ids().equals(parent.ids()) && gives.permitted() == 0;
    if (less || other || (parent.noNewPrivileges() && !one.noNewPrivileges())) {
      throw refused(decision, wanted, "its parent had given up rights that it still had");
    }
  }

  private static CaptureException refused(
      ProcessPlan.Decision decision, SnapshotState wanted, String why) {
    ProcessSnapshot found = wanted.processes().get(decision.then().number());
    String label = found == null ? "pid=" + decision.then().number() : found.state().label();
    return new CaptureException(
        "rollback refused, the sandbox runs on: a process "
            + decision.reason().text()
            + " and cannot be made again: "
            + why
            + ": "
            + label);
  }
}
