package io.deltabox.capture;

import io.deltabox.capture.descriptors.Devices;
import io.deltabox.capture.files.FileLayout;
import io.deltabox.linux.OptionalFeature;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The running sandbox an engine works on. All descriptors are borrowed and stay open until the
 * engine is closed.
 *
 * @param name for thread names and messages
 * @param initPid pid 1 of the sandbox, numbered in the daemon's namespace
 * @param engineChannel socket on which pid 1 sets the next process number
 * @param files where its files are, or null: files are not part of its snapshots then
 * @param clocks how far the clocks inside are from the machine's
 * @param devices its device numbers, of no other container
 * @param without features of the kernel that are not to be used
 */
public record CaptureTarget(
    String name,
    int initPid,
    int engineChannel,
    @Nullable FileLayout files,
    ClockOffsets clocks,
    Devices devices,
    Set<OptionalFeature> without) {
  public CaptureTarget {
    without = Set.copyOf(without);
  }
}
