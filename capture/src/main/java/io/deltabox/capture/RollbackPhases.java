package io.deltabox.capture;

/** Where the pause of a rollback went, nanoseconds each. */
public record RollbackPhases(
    long freeze,
    long end,
    long files,
    long regions,
    long descriptors,
    long pages,
    long threads,
    long registers,
    long rearm,
    long resume) {}
