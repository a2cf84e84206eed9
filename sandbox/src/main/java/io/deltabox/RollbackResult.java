package io.deltabox;

import io.deltabox.capture.InjectedWork;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a rollback did.
 *
 * @param target the snapshot the sandbox is now at
 * @param left what the rollback left, as a snapshot; null if it was not kept
 * @param notKept why it was not kept although asked for; else null
 * @param rebuiltBecause why the sandbox was built anew instead of edited; null if it was edited
 * @param pauseNanos from the first stop to the last thaw
 * @param callNanos the whole call
 * @param phaseNanos time by phase of the pause, in order
 * @param pageCount pages written
 * @param fileCount names changed
 * @param processesEnded processes that did not exist then
 * @param processesMade processes that had ended since
 * @param rolledBack commands that did not run then and are gone
 * @param goesOn commands that had ended since and run again under their id
 * @param injected system calls the processes made themselves to be put back
 */
public record RollbackResult(
    Snapshot target,
    @Nullable Snapshot left,
    @Nullable String notKept,
    @Nullable String rebuiltBecause,
    long pauseNanos,
    long callNanos,
    Map<String, Long> phaseNanos,
    long pageCount,
    long fileCount,
    int processesEnded,
    int processesMade,
    List<Integer> rolledBack,
    List<Integer> goesOn,
    List<InjectedWork> injected) {
  public RollbackResult {
    phaseNanos = Collections.unmodifiableMap(new LinkedHashMap<>(phaseNanos));
    rolledBack = List.copyOf(rolledBack);
    goesOn = List.copyOf(goesOn);
    injected = List.copyOf(injected);
  }

  /** Whether the sandbox was built anew. */
  public boolean rebuilt() {
    return rebuiltBecause != null;
  }
}
