package io.deltabox.capture;

import java.util.List;

/**
 * What a rollback did.
 *
 * @param pauseNanos from the first stop request to the last thread let go
 * @param phases nanoseconds by phase
 * @param injected what each process did itself, of those that are there afterwards
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
    long filesChanged,
    List<InjectedWork> injected) {
  public RollbackReport {
    injected = List.copyOf(injected);
  }
}
