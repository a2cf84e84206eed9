package io.deltabox;

import java.time.Instant;
import java.util.List;

/**
 * A command that ran at a snapshot, as far as the daemon has to know to give it its ends again.
 *
 * @param pid of its first process, inside
 * @param lossless whether nothing it writes may be dropped
 * @param links what the kernel called the daemon's ends of its pipes, such as {@code pipe:[1234]}:
 *     input, output, errors; empty for one that was closed
 * @param terminal number of its terminal, or -1
 */
record CapturedExec(
    int id,
    ExecSpec spec,
    Instant time,
    int pid,
    boolean lossless,
    List<String> links,
    int terminal) {
  CapturedExec {
    links = List.copyOf(links);
  }
}
