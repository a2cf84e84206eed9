package io.deltabox.capture.descriptors;

import io.deltabox.capture.CaptureException;
import io.deltabox.capture.ClockOffsets;
import io.deltabox.capture.StoppedProcess;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Puts the descriptors of stopped processes back to an earlier table.
 *
 * <p>Each wanted open file description is matched with a living one, edited, or made again; the
 * daemon holds a descriptor of each that has to change, for the length of the call only. Then what
 * the target does not have is closed, and what is missing is given to every holder. A failure
 * leaves the processes with a mixture: they must not be thawed then. Runs on the sandbox's tracing
 * thread, after the files are back and before memory is.
 */
public final class DescriptorReconciler {
  private static final int FD_CLOEXEC = 1;

  private final Run run;
  private final Rules rules;
  private final Matching matching;
  private int kept;
  private int edited;
  private int made;
  private int given;
  private int closed;

  private DescriptorReconciler(Run run, Rules rules, Matching matching) {
    this.run = run;
    this.rules = rules;
    this.matching = matching;
  }

  /**
   * Makes current what target says.
   *
   * @param current what the processes have now, read in this very stop
   * @param target what they must have; each of its processes must be in {@code processes}
   * @param processes every living process of the sandbox by its number inside
   * @param files opens paths as the sandbox sees them
   * @param ends the daemon's ends of pipes
   * @throws CaptureException if something cannot be put back
   */
  public static DescriptorReport reconcile(
      DescriptorTable current,
      DescriptorTable target,
      Map<Integer, StoppedProcess> processes,
      FileOpener files,
      OuterEnds ends)
      throws CaptureException {
    return reconcile(current, target, processes, files, ends, ClockOffsets.NONE);
  }

  /**
   * The same in another container.
   *
   * @param later how much later the machine's clocks reach what the sandbox's clocks show
   */
  public static DescriptorReport reconcile(
      DescriptorTable current,
      DescriptorTable target,
      Map<Integer, StoppedProcess> processes,
      FileOpener files,
      OuterEnds ends,
      ClockOffsets later)
      throws CaptureException {
    try (Run run = new Run(living(current, processes), target, processes, files, ends, later)) {
      Rules rules = new Rules();
      Matching matching = Matching.of(run, rules);
      SocketPairs.review(run, matching);
      EpollSets.review(run, matching);
      return new DescriptorReconciler(run, rules, matching).apply();
    } catch (CaptureException e) {
      throw e;
    } catch (IOException e) {
      throw new CaptureException("put descriptors back failed: " + e.getMessage(), e);
    }
  }

  /** What processes that have ended since the scan held is gone. */
  private static DescriptorTable living(
      DescriptorTable current, Map<Integer, StoppedProcess> processes) {
    SortedMap<Integer, ProcessFiles> living = new TreeMap<>(current.processes());
    living.keySet().retainAll(processes.keySet());
    return current.restrictedTo(living.keySet());
  }

  private DescriptorReport apply() throws IOException {
    for (ProcessFiles process : run.target().processes().values()) {
      run.process(process.process());
    }
    borrow();
    make(KindRules.Making.BEFORE_CLOSING);
    Surroundings.hold(run);
    PipeContents.refill(run, matching);
    Locks locks = new Locks(run, matching);
    locks.releaseUnwanted();
    for (ProcessFiles process : run.current().processes().values()) {
      closeExtra(process);
    }
    Surroundings.restore(run);
    make(KindRules.Making.AFTER_CLOSING);
    SocketQueues.refill(run, matching);
    for (ProcessFiles process : run.target().processes().values()) {
      give(process);
    }
    EpollSets.fill(run, matching);
    Terminals.restore(run);
    locks.restore();
    InotifyRules.drain(run);
    return new DescriptorReport(kept, edited, made, given, closed, run.notes());
  }

  /** Takes hold of every living description that is edited or has to be given to somebody. */
  private void borrow() throws IOException {
    for (OpenFile target : run.target().files()) {
      OpenFile now = matching.current(target);
      if (now == null) {
        continue;
      }
      kept++;
      KindRules kind = rules.of(target);
      boolean differs = kind.differs(now, target, run);
      if (!differs && isEverywhere(now, target)) {
        continue;
      }
      int fd = run.steal(now);
      run.hold(target, fd);
      if (differs) {
        kind.edit(fd, now, target, run);
        edited++;
      }
    }
  }

  private boolean isEverywhere(OpenFile now, OpenFile target) {
    for (Slot slot : target.slots()) {
      if (run.current().at(slot) != now) {
        return false;
      }
    }
    return true;
  }

  private void make(KindRules.Making when) throws IOException {
    for (OpenFile target : run.target().files()) {
      KindRules kind = rules.of(target);
      if (matching.current(target) == null && kind.making() == when) {
        run.hold(target, kind.make(target, run));
        made++;
      }
    }
  }

  private boolean isRight(int process, Descriptor wanted) {
    OpenFile now = run.current().at(new Slot(process, wanted.number()));
    return now != null && matching.current(wanted.file()) == now;
  }

  /** Closes what is not wanted where it is, and sets the close-on-exec mark of what stays. */
  private void closeExtra(ProcessFiles process) throws IOException {
    ProcessFiles wanted = run.target().processes().get(process.process());
    StoppedProcess stopped = run.process(process.process());
    Delivery.Batch batch = new Delivery(run.kernel(), stopped).new Batch();
    for (Descriptor now : process.descriptors().values()) {
      Descriptor then = wanted == null ? null : wanted.descriptors().get(now.number());
      if (then == null || !isRight(process.process(), then)) {
        batch.add(Calls.CLOSE, now.number(), 0, 0);
        closed++;
      } else if (then.closeOnExec() != now.closeOnExec()) {
        int mark = then.closeOnExec() ? FD_CLOEXEC : 0;
        batch.add(Calls.FCNTL, now.number(), Calls.F_SETFD, mark);
      }
    }
    batch.flush();
  }

  private void give(ProcessFiles process) throws IOException {
    List<Delivery.Parcel> parcels = new ArrayList<>();
    Set<Integer> used = new TreeSet<>();
    for (Descriptor wanted : process.descriptors().values()) {
      if (isRight(process.process(), wanted)) {
        used.add(wanted.number());
        continue;
      }
      Integer fd = run.held(wanted.file());
      if (fd == null) {
        throw new IllegalStateException("nothing to give: " + wanted.file());
      }
      parcels.add(new Delivery.Parcel(fd, wanted.number(), wanted.closeOnExec()));
    }
    new Delivery(run.kernel(), run.process(process.process())).deliver(parcels, used);
    given += parcels.size();
  }
}
