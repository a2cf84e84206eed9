package io.deltabox.capture;

import io.deltabox.capture.descriptors.DescriptorTable;
import io.deltabox.linux.NativeLibrary;

/**
 * How far clocks of a sandbox are from those of this machine; time_namespaces(7).
 *
 * @param monotonicNanos what its CLOCK_MONOTONIC shows beyond the machine's
 * @param boottimeNanos the same of CLOCK_BOOTTIME
 */
public record ClockOffsets(long monotonicNanos, long boottimeNanos) {
  /** The clocks are the machine's. */
  public static final ClockOffsets NONE = new ClockOffsets(0, 0);

  private static final int CLOCK_MONOTONIC = 1;
  private static final int CLOCK_BOOTTIME = 7;

  /**
   * The offsets with which clocks go on now from a snapshot.
   *
   * @param then how far they were from the machine's at that time
   * @return {@link #NONE} if no process was there to read the machine's
   */
  static ClockOffsets goingOn(DescriptorTable snapshot, ClockOffsets then) {
    return snapshot
        .clocks()
        .map(machine -> machine.plus(then))
        .map(was -> goingOnFrom(was.monotonicNanos(), was.boottimeNanos()))
        .orElse(NONE);
  }

  private static ClockOffsets goingOnFrom(long monotonicNanos, long boottimeNanos) {
    return new ClockOffsets(
        monotonicNanos - NativeLibrary.core().dbx_clock_nanos(CLOCK_MONOTONIC),
        boottimeNanos - NativeLibrary.core().dbx_clock_nanos(CLOCK_BOOTTIME));
  }

  ClockOffsets plus(ClockOffsets other) {
    return new ClockOffsets(
        monotonicNanos + other.monotonicNanos, boottimeNanos + other.boottimeNanos);
  }

  ClockOffsets minus(ClockOffsets other) {
    return new ClockOffsets(
        monotonicNanos - other.monotonicNanos, boottimeNanos - other.boottimeNanos);
  }
}
