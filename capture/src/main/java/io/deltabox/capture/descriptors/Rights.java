package io.deltabox.capture.descriptors;

/**
 * What a process may do; capabilities(7), seccomp(2). Sets of capabilities are bits by number.
 *
 * @param filters how many seccomp filters it runs under; what they do cannot be read
 * @param groups supplementary groups as {@code /proc/PID/status} lists them, separated by blanks
 */
public record Rights(
    long inheritable,
    long permitted,
    long effective,
    long bounding,
    long ambient,
    int filters,
    String groups) {}
