package io.deltabox.capture;

import io.deltabox.capture.descriptors.Rights;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How one process tree becomes another: the pure half of putting processes back. A process is
 * edited where calls can do it, gets its old program again where it runs another one, and is made
 * again where its state goes one way only; what was born of it is made again with it, because
 * nobody can be given another parent.
 */
final class ProcessPlan {
  /** What happens to one wanted process, from the least to the most. */
  enum Fate {
    /** Lives, and calls put it back; a zombie stays the zombie it is. */
    EDIT,
    /** Lives, but its memory is another program's: the old one is executed again. */
    EXECUTE,
    /** Is born again. */
    MAKE
  }

  /** Why a process cannot be edited. */
  enum Reason {
    NONE(""),
    ENDED("has ended since"),
    ENDED_OTHERWISE("had ended with another status"),
    LOST_MAIN_THREAD("has lost its main thread since"),
    PROGRAM("has become another program since (execve)"),
    SESSION("has left its session since (setsid)"),
    PARENT("has another parent since"),
    USER("has changed its user or groups since"),
    RIGHTS("has changed its capabilities since"),
    SECURE_BITS("has changed what capabilities mean to it since (securebits)"),
    FILTERS("has installed a system call filter since (seccomp)"),
    NO_NEW_PRIVILEGES("has given up gaining privileges since (no_new_privs)"),
    ROOT("has changed its root directory since (chroot)"),
    ROOTED("is in another root directory (chroot), where no path leads to its files"),
    GROUP("had ended in another process group"),
    GROUP_GONE("has left a process group since that nobody else is in"),
    CHILD_OLDER("has a child to be made again that is older than its session"),
    SESSION_DEAD("is of a session with somebody to be made again and nobody alive"),
    PARENT_MADE("is a child of a process that is made again"),
    LEADER_MADE("is in the session or group of a process that is made again");

    private final String text;

    Reason(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }

    /** Whether it lies in another process, which is made again too. */
    boolean ofAnother() {
      return compareTo(GROUP_GONE) >= 0;
    }
  }

  /** One wanted process; {@code alive}: there is one under its number now. */
  record Decision(ProcessFacts then, Fate fate, Reason reason, boolean alive) {}

  /** Any session will do. */
  static final int ANY = 0;

  private final Map<Integer, ProcessFacts> now = new LinkedHashMap<>();
  private final Map<Integer, ProcessFacts> then = new LinkedHashMap<>();
  private final Map<Integer, Decision> decisions = new LinkedHashMap<>();

  private ProcessPlan(Collection<ProcessFacts> now, Collection<ProcessFacts> then) {
    now.forEach(one -> this.now.put(one.number(), one));
    then.forEach(one -> this.then.put(one.number(), one));
  }

  static ProcessPlan of(Collection<ProcessFacts> now, Collection<ProcessFacts> then) {
    ProcessPlan plan = new ProcessPlan(now, then);
    for (ProcessFacts one : plan.parentsFirst()) {
      plan.decisions.put(one.number(), plan.decide(one));
    }
    plan.spread();
    return plan;
  }

  /** By number, parents before children. */
  Map<Integer, Decision> decisions() {
    return decisions;
  }

  Decision decision(int number) {
    Decision found = decisions.get(number);
    if (found == null) {
      throw new IllegalStateException("not wanted: pid=" + number);
    }
    return found;
  }

  List<Decision> with(Fate fate) {
    return decisions.values().stream().filter(d -> d.fate() == fate).toList();
  }

  /** Numbers of the present processes that must end. */
  Set<Integer> ending() {
    Set<Integer> ending = new LinkedHashSet<>();
    for (int number : now.keySet()) {
      Decision decision = decisions.get(number);
      if (decision == null || decision.fate() == Fate.MAKE) {
        ending.add(number);
      }
    }
    return ending;
  }

  private List<ProcessFacts> parentsFirst() {
    List<ProcessFacts> sorted = new ArrayList<>();
    Set<Integer> placed = new LinkedHashSet<>();
    for (ProcessFacts one : then.values()) {
      place(one, sorted, placed);
    }
    return sorted;
  }

  private void place(ProcessFacts one, List<ProcessFacts> sorted, Set<Integer> placed) {
    if (!placed.add(one.number())) {
      return;
    }
    ProcessFacts parent = then.get(one.parent());
    if (parent != null) {
      place(parent, sorted, placed);
    }
    sorted.add(one);
  }

  private Decision decide(ProcessFacts wanted) {
    ProcessFacts is = now.get(wanted.number());
    Reason reason = is == null ? Reason.ENDED : oneWay(is, wanted);
    if (reason != Reason.NONE) {
      return new Decision(wanted, Fate.MAKE, reason, is != null);
    }
    if (is != null && !wanted.zombie() && !sameMemory(is, wanted)) {
      return new Decision(wanted, Fate.EXECUTE, Reason.PROGRAM, true);
    }
    return new Decision(wanted, Fate.EDIT, Reason.NONE, true);
  }

  private static Reason oneWay(ProcessFacts is, ProcessFacts wanted) {
    if (is.zombie() != wanted.zombie()) {
      return Reason.ENDED;
    }
    if (is.parent() != wanted.parent()) {
      return Reason.PARENT;
    }
    if (is.zombie()) {
      if (is.session() != wanted.session() || is.group() != wanted.group()) {
        return Reason.GROUP;
      }
      return is.exitStatus() == wanted.exitStatus() ? Reason.NONE : Reason.ENDED_OTHERWISE;
    }
    if (!is.complete()) {
      return Reason.LOST_MAIN_THREAD;
    }
    if (is.session() != wanted.session()) {
      return Reason.SESSION;
    }
    if (!is.root().equals(wanted.root())) {
      return Reason.ROOT;
    }
    return is.root().equals(ProcessFacts.ROOT) ? rights(is, wanted) : Reason.ROOTED;
  }

  private static Reason rights(ProcessFacts is, ProcessFacts wanted) {
    Rights has = is.rights();
    Rights had = wanted.rights();
    boolean others = has != null && had != null && has.filters() != had.filters();
    if (is.filtered() || others) {
      return Reason.FILTERS;
    }
    if (is.noNewPrivileges() != wanted.noNewPrivileges()) {
      return Reason.NO_NEW_PRIVILEGES;
    }
    if (!is.ids().equals(wanted.ids())
        || (has != null && had != null && !has.groups().equals(had.groups()))) {
      return Reason.USER;
    }
    // What a program that was executed since left of them cannot be read before it is followed.
    if (is.followed() && is.secureBits() != wanted.secureBits()) {
      return Reason.SECURE_BITS;
    }
    return Objects.equals(has, had) ? Reason.NONE : Reason.RIGHTS;
  }

  private static boolean sameMemory(ProcessFacts is, ProcessFacts wanted) {
    return is.followed()
        && is.program().equals(wanted.program())
        && is.image() != null
        && is.image().same(wanted.image());
  }

  /** Until nothing follows from anything any more. */
  private void spread() {
    boolean again = true;
    while (again) {
      again = false;
      for (Decision decision : List.copyOf(decisions.values())) {
        Reason reason = decision.fate() == Fate.MAKE ? Reason.NONE : follows(decision.then());
        if (reason != Reason.NONE) {
          decisions.put(
              decision.then().number(), new Decision(decision.then(), Fate.MAKE, reason, true));
          again = true;
        }
      }
    }
  }

  private Reason follows(ProcessFacts one) {
    if (made(one.parent())) {
      return Reason.PARENT_MADE;
    }
    boolean member = one.session() != one.number() && leads(one.session());
    // A living one can leave the group meanwhile.
    boolean bound = one.zombie() && one.group() != one.number() && made(one.group());
    if (member || bound) {
      return Reason.LEADER_MADE;
    }
    if (groupIsGone(one)) {
      return Reason.GROUP_GONE;
    }
    if (one.zombie() && sessionIsDead(one.session())) {
      return Reason.SESSION_DEAD;
    }
    return hasOlderChild(one) ? Reason.CHILD_OLDER : Reason.NONE;
  }

  /**
   * True if somebody must be born in a session of which only zombies are left: these can give birth
   * to nobody, and their session cannot be founded as long as they are there.
   */
  private boolean sessionIsDead(int session) {
    boolean needed = false;
    for (Decision decision : decisions.values()) {
      ProcessFacts one = decision.then();
      if (decision.fate() == Fate.MAKE) {
        needed |= parentOf(one) == null && bornIn(one) == session;
      } else if (one.session() == session && !one.zombie()) {
        return false;
      }
    }
    return needed;
  }

  /**
   * A group that nobody is in can be founded only by a process of its number, which cannot be had
   * while a session has it. All of that session are made again then: it begins with its founder.
   */
  private boolean groupIsGone(ProcessFacts one) {
    int session = one.session();
    if (one.session() == one.number() || then.containsKey(session)) {
      return false;
    }
    boolean wanted = false;
    for (ProcessFacts other : then.values()) {
      wanted |= other.session() == session && other.group() == session;
    }
    if (!wanted) {
      return false;
    }
    for (ProcessFacts other : now.values()) {
      Decision decision = decisions.get(other.number());
      boolean kept = decision != null && decision.fate() != Fate.MAKE;
      if (kept && other.group() == session) {
        return false;
      }
    }
    return true;
  }

  private boolean hasOlderChild(ProcessFacts one) {
    for (ProcessFacts child : then.values()) {
      if (child.parent() == one.number() && made(child.number())) {
        int needed = bornIn(child);
        if (needed != ANY && needed != one.session()) {
          return true;
        }
      }
    }
    return false;
  }

  /**
   * The session a process must be born in: its own, unless it founded that; then the one its older
   * children are of.
   *
   * @return {@link #ANY} if it does not matter
   */
  int bornIn(ProcessFacts one) {
    if (one.session() != one.number()) {
      return one.session();
    }
    for (ProcessFacts child : then.values()) {
      if (child.parent() == one.number() && made(child.number())) {
        int needed = bornIn(child);
        if (needed != ANY && needed != one.number()) {
          return needed;
        }
      }
    }
    return ANY;
  }

  /** True if nobody can give birth to it in the session it must be born in. */
  boolean cannotEnter(ProcessFacts one) {
    int needed = bornIn(one);
    ProcessFacts parent = then.get(one.parent());
    if (needed == ANY || parent == null || parent.session() == needed) {
      return false;
    }
    boolean before = made(parent.number()) && parent.session() == parent.number();
    return !before || bornIn(parent) != needed || cannotEnter(parent);
  }

  private boolean made(int number) {
    Decision decision = decisions.get(number);
    return decision != null && decision.fate() == Fate.MAKE;
  }

  /** True if the session has a leader that is made again: it can only be a new session then. */
  private boolean leads(int session) {
    Decision decision = decisions.get(session);
    return decision != null && decision.fate() == Fate.MAKE && decision.then().session() == session;
  }

  /** The process that gives birth to a wanted one; null when it is pid 1. */
  @Nullable ProcessFacts parentOf(ProcessFacts one) {
    return then.get(one.parent());
  }
}
