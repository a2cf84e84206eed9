package io.deltabox.capture;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * What a program asked for with madvise(2) and mlock(2), per region; {@code VmFlags} of {@code
 * /proc/PID/smaps}, which is the only place that tells.
 *
 * <p>Reading it walks all page tables, so it is read only when the layout of a process is not the
 * one known already, and then outside of the pause of a checkpoint. Advice given to a whole, old
 * region is therefore noticed late, at the next change of the layout.
 */
final class Advice {
  static final int DONT_FORK = 1;
  static final int DONT_DUMP = 2;
  static final int WIPE_ON_FORK = 4;
  static final int HUGE = 8;
  static final int NO_HUGE = 16;
  static final int SEQUENTIAL = 32;
  static final int RANDOM = 64;
  static final int NO_RESERVE = 128;
  static final int LOCKED = 256;
  static final int MAY_WRITE = 512;

  /** Mapped with MAP_DROPPABLE: the kernel may take the pages at any time. */
  static final int DROPPABLE = 1024;

  private static final Map<String, Integer> NAMES =
      Map.ofEntries(
          Map.entry("dc", DONT_FORK),
          Map.entry("dd", DONT_DUMP),
          Map.entry("wf", WIPE_ON_FORK),
          Map.entry("hg", HUGE),
          Map.entry("nh", NO_HUGE),
          Map.entry("sr", SEQUENTIAL),
          Map.entry("rr", RANDOM),
          Map.entry("nr", NO_RESERVE),
          Map.entry("lo", LOCKED),
          Map.entry("mw", MAY_WRITE),
          Map.entry("dp", DROPPABLE));

  /** The range a region covers. */
  record Range(long start, long end) {}

  private Advice() {}

  /** Reads the advice of every region of a process, by its range. */
  static Map<Range, Integer> read(int pid) throws IOException {
    Map<Range, Integer> advice = new HashMap<>();
    String text = Files.readString(Path.of("/proc/" + pid + "/smaps"), StandardCharsets.ISO_8859_1);
    Range range = new Range(0, 0);
    for (String line : text.split("\n")) {
      if (line.startsWith("VmFlags:")) {
        int flags = 0;
        for (String name : line.substring("VmFlags:".length()).trim().split(" ")) {
          flags |= NAMES.getOrDefault(name, 0);
        }
        advice.put(range, flags);
      } else if (!line.isEmpty() && Character.digit(line.charAt(0), 16) >= 0) {
        int dash = line.indexOf('-');
        int space = line.indexOf(' ');
        if (dash > 0 && dash < space) {
          range =
              new Range(
                  Long.parseUnsignedLong(line, 0, dash, 16),
                  Long.parseUnsignedLong(line, dash + 1, space, 16));
        }
      }
    }
    return advice;
  }
}
