package io.deltabox.capture;

import io.deltabox.capture.descriptors.DescriptorTable;
import io.deltabox.capture.descriptors.Refusal;
import io.deltabox.linux.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;

/** What a capture met and cannot put back, said before a snapshot is made of it. */
final class Refusals {
  private Refusals() {}

  static void check(Collection<ProcessState> processes) throws UnsupportedException {
    for (ProcessState process : processes) {
      if (process.error() != 0) {
        throw refused(
            process, "cannot be followed (" + Errno.text(-process.error()) + ")", "end it first");
      }
      if (process.leaderDead()) {
        throw refused(process, "its main thread has ended while others run", "end it first");
      }
      for (Region region : process.regions()) {
        check(process, region);
      }
      if (hasTimers(process.pid())) {
        throw refused(
            process,
            "uses timers made with timer_create(2), which cannot be put back",
            "use timerfd_create(2) or setitimer(2)");
      }
    }
  }

  static void check(DescriptorTable descriptors) throws UnsupportedException {
    List<Refusal> refusals = io.deltabox.capture.descriptors.Refusals.of(descriptors);
    if (!refusals.isEmpty()) {
      String more = refusals.size() == 1 ? "" : " (and " + (refusals.size() - 1) + " more)";
      throw new UnsupportedException(
          "checkpoint refused, the sandbox runs on: " + refusals.get(0).message() + more);
    }
  }

  private static void check(ProcessState process, Region region) throws UnsupportedException {
    if (region.is(Region.HUGETLB)) {
      throw refused(
          process,
          "maps huge pages at " + Long.toHexString(region.start()),
          "use transparent huge pages");
    }
    if (region.is(Region.OBJECT) && region.name().startsWith("/SYSV")) {
      throw refused(process, "maps System V shared memory", "use shm_open or memfd_create");
    }
  }

  /** {@code /proc/PID/timers} lists the POSIX timers; a process that has ended since has none. */
  private static boolean hasTimers(int pid) {
    try {
      return !Files.readString(Path.of("/proc/" + pid + "/timers")).isEmpty();
    } catch (IOException e) {
      return false;
    }
  }

  private static UnsupportedException refused(ProcessState process, String what, String wayOut) {
    return new UnsupportedException(
        "checkpoint refused, the sandbox runs on: process "
            + what
            + "; "
            + wayOut
            + ": "
            + process.label());
  }
}
