package io.deltabox.capture;

/**
 * What one process of a sandbox did itself to be put back.
 *
 * @param pid its number inside
 * @param stops how often it was let run and stopped again; the cost is here
 * @param calls system calls it made in all
 */
public record InjectedWork(int pid, long stops, long calls) {}
