package io.deltabox.capture;

import io.deltabox.linux.Errno;
import java.io.IOException;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Process groups of stopped processes. A group exists as long as somebody is in it, and one that
 * does not can only be founded by the process of its number.
 */
final class JobControl {
  /** setpgid(2): also when there is no such group in the session. */
  private static final int EPERM = 1;

  private final Collection<LiveProcess> living;
  private final Map<Integer, ProcessSnapshot> wanted;
  private final Map<Integer, Integer> groups = new LinkedHashMap<>();

  JobControl(Collection<LiveProcess> living, Map<Integer, ProcessSnapshot> wanted) {
    this.living = living;
    this.wanted = wanted;
  }

  /**
   * Takes living processes out of groups whose number is needed for a process that is made again,
   * or for a group of another session: as long as the group exists nobody else can have it.
   *
   * @param numbers of the processes to be made
   */
  void leave(Set<Integer> numbers) throws CaptureException {
    Set<Integer> needed = new HashSet<>(numbers);
    wanted.values().forEach(one -> needed.add(one.state().group()));
    for (LiveProcess process : living) {
      int group = process.state().group();
      groups.put(process.innerPid(), group);
      boolean stays = group == groupOf(process) && !numbers.contains(group);
      if (!stays && needed.contains(group) && group != process.innerPid()) {
        check(set(process, process.innerPid()), process, process.innerPid());
        groups.put(process.innerPid(), process.innerPid());
      }
    }
  }

  /** Founds a group nobody is in, and puts a process into it. */
  interface Founder {
    void found(LiveProcess member, int group) throws IOException;
  }

  /** Groups as they were. */
  void restore(Founder founder) throws IOException {
    for (LiveProcess process : living) {
      groups.putIfAbsent(process.innerPid(), process.state().group());
    }
    for (LiveProcess process : living) {
      if (groupOf(process) == process.innerPid()) {
        enter(process, founder);
      }
    }
    for (LiveProcess process : living) {
      enter(process, founder);
    }
  }

  private int groupOf(LiveProcess process) {
    ProcessSnapshot then = wanted.get(process.innerPid());
    return then == null ? process.state().group() : then.state().group();
  }

  private void enter(LiveProcess process, Founder founder) throws IOException {
    int group = groupOf(process);
    if (groups.getOrDefault(process.innerPid(), 0) != group) {
      int result = set(process, group);
      if (result == -EPERM && group != process.innerPid()) {
        founder.found(process, group);
      } else {
        check(result, process, group);
      }
      groups.put(process.innerPid(), group);
    }
  }

  private static int set(LiveProcess process, int group) throws CaptureException {
    InjectedBatch batch = process.inject();
    Injection.Call call = batch.call(Sys.SETPGID, batch.value(0), batch.value(group));
    batch.run();
    return (int) batch.result(call);
  }

  private static void check(int result, LiveProcess process, int group) throws CaptureException {
    if (result < 0) {
      throw new CaptureException(
          "set process group failed: "
              + Errno.text(-result)
              + " group="
              + group
              + " "
              + process.state().label());
    }
  }
}
