package io.deltabox;

/**
 * A process inside a sandbox at one moment.
 *
 * @param pid number inside the sandbox
 * @param parentPid parent inside the sandbox; 1 for what the sandbox started
 * @param uid user inside
 * @param state letter of proc(5): R S D T Z
 * @param threadCount threads
 * @param residentBytes memory in RAM
 * @param command its arguments, or its name in brackets
 */
public record ProcessInfo(
    int pid,
    int parentPid,
    int uid,
    char state,
    int threadCount,
    long residentBytes,
    String command) {}
