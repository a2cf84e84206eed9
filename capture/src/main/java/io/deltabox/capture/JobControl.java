package io.deltabox.capture;

import io.deltabox.linux.Errno;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Process groups of stopped processes. A group exists as long as somebody is in it, and one that
 * does not can only be founded by the process of its number.
 */
final class JobControl {
  private final Collection<LiveProcess> living;
  private final Map<Integer, ProcessSnapshot> wanted;
  private final Map<Integer, Integer> groups = new LinkedHashMap<>();

  JobControl(Collection<LiveProcess> living, Map<Integer, ProcessSnapshot> wanted) {
    this.living = living;
    this.wanted = wanted;
  }

  /**
   * Takes living processes out of groups whose number is needed for a process that is made again:
   * as long as the group exists nobody else can have it.
   *
   * @param numbers of the processes to be made
   */
  void leave(Set<Integer> numbers) throws CaptureException {
    for (LiveProcess process : living) {
      int group = process.state().group();
      groups.put(process.innerPid(), group);
      if (numbers.contains(group) && group != process.innerPid()) {
        set(process, process.innerPid());
        groups.put(process.innerPid(), process.innerPid());
      }
    }
  }

  /** Groups as they were. */
  void restore() throws CaptureException {
    for (LiveProcess process : living) {
      groups.putIfAbsent(process.innerPid(), process.state().group());
    }
    for (LiveProcess process : living) {
      if (groupOf(process) == process.innerPid()) {
        enter(process);
      }
    }
    for (LiveProcess process : living) {
      enter(process);
    }
  }

  private int groupOf(LiveProcess process) {
    ProcessSnapshot then = wanted.get(process.innerPid());
    return then == null ? process.state().group() : then.state().group();
  }

  private void enter(LiveProcess process) throws CaptureException {
    int group = groupOf(process);
    if (groups.getOrDefault(process.innerPid(), 0) != group) {
      set(process, group);
      groups.put(process.innerPid(), group);
    }
  }

  private static void set(LiveProcess process, int group) throws CaptureException {
    InjectedBatch batch = process.inject();
    Injection.Call call = batch.call(Sys.SETPGID, batch.value(0), batch.value(group));
    batch.run();
    if (batch.result(call) < 0) {
      throw new CaptureException(
          "set process group failed: "
              + Errno.text((int) -batch.result(call))
              + " group="
              + group
              + " "
              + process.state().label());
    }
  }
}
