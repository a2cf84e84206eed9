package io.deltabox;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a checkpoint did.
 *
 * @param pauseNanos from the first stop to the last thaw
 * @param callNanos the whole call
 * @param phaseNanos time by phase of the pause, in order
 * @param processCount processes captured
 * @param threadCount threads captured
 * @param pageCount pages copied
 * @param fileCount files and directories changed since the parent
 * @param bytes bytes the snapshot keeps
 */
public record CheckpointStats(
    long pauseNanos,
    long callNanos,
    Map<String, Long> phaseNanos,
    int processCount,
    int threadCount,
    long pageCount,
    long fileCount,
    long bytes) {
  public CheckpointStats {
    phaseNanos = Collections.unmodifiableMap(new LinkedHashMap<>(phaseNanos));
  }
}
