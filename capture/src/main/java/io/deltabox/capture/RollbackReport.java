package io.deltabox.capture;

/**
 * What a rollback did.
 *
 * @param pauseNanos from the first stop request to the last thread let go
 * @param phases nanoseconds by phase
 */
public record RollbackReport(
    long pauseNanos,
    RollbackPhases phases,
    int processes,
    int processesEnded,
    int processesMade,
    int threadsEnded,
    int threadsMade,
    long pagesWritten,
    long pagesDropped,
    long filesChanged) {}
