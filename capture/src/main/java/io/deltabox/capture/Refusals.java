package io.deltabox.capture;

import io.deltabox.capture.descriptors.DescriptorTable;
import io.deltabox.capture.descriptors.Refusal;
import io.deltabox.linux.Errno;
import java.util.Collection;
import java.util.List;

/** What a capture met and cannot put back, said before a snapshot is made of it. */
final class Refusals {
  /** {@code DBX_TIMERS_MAX}. */
  private static final int TIMERS_READ = 128;

  private static final int CLOCK_THREAD_CPUTIME = 3;

  /** The same as the kernel shows it; include/linux/posix-timers.h. */
  private static final int CLOCK_THREAD_CPUTIME_SHOWN = -2;

  private static final int CLOCK_BOOTTIME = 7;

  private Refusals() {}

  static void check(Collection<ProcessState> processes) throws UnsupportedException {
    for (ProcessState process : processes) {
      if (process.error() != 0) {
        throw refused(
            process, "cannot be followed (" + Errno.text(-process.error()) + ")", "end it first");
      }
      if (process.filtered()) {
        throw refused(
            process,
            "runs under a system call filter of its own (seccomp), which can neither be read nor"
                + " be worked under",
            "run it without that filter, or end it first");
      }
      if (process.leaderDead()) {
        throw refused(process, "its main thread has ended while others run", "end it first");
      }
      for (Region region : process.regions()) {
        check(process, region);
      }
      checkTimers(process);
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

  private static void checkTimers(ProcessState process) throws UnsupportedException {
    if (process.timers().size() == TIMERS_READ) {
      throw refused(
          process, "has made more timers than can be read: limit=" + TIMERS_READ, "delete some");
    }
    for (PosixTimer timer : process.timers()) {
      // The kernel does not tell whose processor time it is.
      boolean ofThread =
          timer.clock() == CLOCK_THREAD_CPUTIME || timer.clock() == CLOCK_THREAD_CPUTIME_SHOWN;
      if ((ofThread && process.threads().size() > 1) || timer.clock() > CLOCK_BOOTTIME) {
        throw refused(
            process,
            "uses a timer of timer_create(2) on clock " + timer.clock(),
            "use CLOCK_MONOTONIC or another of the plain clocks");
      }
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
