package io.deltabox.capture.descriptors;

import io.deltabox.capture.CaptureException;
import io.deltabox.capture.Injection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Decides which epoll sets can stay, and fills the others. */
final class EpollSets {
  private static final int ADD = 1;
  private static final int MOD = 3;
  private static final int EDGE_TRIGGERED = 1 << 31;
  private static final int EXCLUSIVE = 1 << 28;
  private static final int EVENT_BYTES = 12;
  private static final int CALLS_PER_BATCH = 300;

  private EpollSets() {}

  static boolean anyEdge(OpenFile set) {
    for (EpollRules.Entry entry : EpollRules.entries(set)) {
      if ((entry.events() & EDGE_TRIGGERED) != 0) {
        return true;
      }
    }
    return false;
  }

  /** Gives up every living set one of whose members is replaced, until nothing changes more. */
  static void review(Run run, Matching matching) {
    boolean changed = true;
    while (changed) {
      changed = false;
      for (OpenFile target : run.target().files()) {
        if (target.kind() == FileKind.EPOLL
            && matching.current(target) != null
            && !membersStay(target, run, matching)) {
          matching.giveUp(target);
          changed = true;
        }
      }
    }
  }

  private static boolean membersStay(OpenFile set, Run run, Matching matching) {
    for (EpollRules.Entry entry : EpollRules.entries(set)) {
      Integer holder = EpollRules.holder(run.target(), set, entry);
      if (holder == null) {
        continue;
      }
      Slot slot = new Slot(holder, entry.number());
      OpenFile wanted = run.target().at(slot);
      OpenFile now = run.current().at(slot);
      if (wanted == null || now == null || matching.current(wanted) != now) {
        return false;
      }
    }
    return true;
  }

  /**
   * Runs when every descriptor is in its place. Edge-triggered members of a set that stayed are set
   * again: a readiness the program has not yet been told of must not be lost, one told twice does
   * no harm.
   */
  static void fill(Run run, Matching matching) throws IOException {
    for (OpenFile set : run.target().files()) {
      if (set.kind() != FileKind.EPOLL) {
        continue;
      }
      boolean stayed = matching.current(set) != null;
      List<EpollRules.Entry> entries = new ArrayList<>();
      for (EpollRules.Entry entry : EpollRules.entries(set)) {
        boolean edge = (entry.events() & EDGE_TRIGGERED) != 0;
        boolean exclusive = (entry.events() & EXCLUSIVE) != 0;
        if (!stayed || (edge && !exclusive)) {
          entries.add(entry);
        }
      }
      for (int from = 0; from < entries.size(); from += CALLS_PER_BATCH) {
        int to = Math.min(entries.size(), from + CALLS_PER_BATCH);
        control(run, set, entries.subList(from, to), stayed ? MOD : ADD);
      }
    }
  }

  private static void control(Run run, OpenFile set, List<EpollRules.Entry> entries, int operation)
      throws IOException {
    for (Slot slot : set.slots()) {
      Injection injection = run.process(slot.process()).inject();
      List<Injection.Call> calls = new ArrayList<>();
      for (EpollRules.Entry entry : entries) {
        Integer holder = EpollRules.holder(run.target(), set, entry);
        if (holder != null && holder == slot.process() && firstOf(set, holder).equals(slot)) {
          calls.add(call(injection, slot.number(), operation, entry));
        }
      }
      if (calls.isEmpty()) {
        continue;
      }
      injection.run();
      for (Injection.Call call : calls) {
        if (injection.result(call) < 0) {
          throw new CaptureException(
              "fill an epoll set failed: error=" + -injection.result(call) + " " + set);
        }
      }
    }
  }

  private static Slot firstOf(OpenFile set, int process) {
    for (Slot slot : set.slots()) {
      if (slot.process() == process) {
        return slot;
      }
    }
    throw new IllegalStateException("process holds no descriptor of the set: " + set);
  }

  private static Injection.Call call(
      Injection injection, int set, int operation, EpollRules.Entry entry) {
    byte[] event =
        ByteBuffer.allocate(EVENT_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(entry.events())
            .putLong(entry.data())
            .array();
    return injection.call(
        Calls.EPOLL_CTL,
        injection.value(set),
        injection.value(operation),
        injection.value(entry.number()),
        injection.bytes(event));
  }
}
