package io.deltabox.bench;

import java.util.LinkedHashMap;
import java.util.Map;

/** All samples of one operation. Not thread-safe. */
final class Measured {
  private final Samples pause = new Samples();
  private final Samples seen = new Samples();
  private final Samples call = new Samples();
  private final Map<String, Samples> phases = new LinkedHashMap<>();

  void add(long pauseNanos, long callNanos, long seenNanos, Map<String, Long> phaseNanos) {
    pause.add(pauseNanos);
    call.add(callNanos);
    seen.add(seenNanos);
    phaseNanos.forEach(
        (phase, nanos) -> phases.computeIfAbsent(phase, p -> new Samples()).add(nanos));
  }

  int count() {
    return pause.count();
  }

  Map<String, Object> describe() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("pause_ms", pause.describe());
    map.put("seen_ms", seen.describe());
    map.put("call_ms", call.describe());
    return map;
  }

  /** Median of each phase, milliseconds. */
  Map<String, Object> phases() {
    Map<String, Object> map = new LinkedHashMap<>();
    phases.forEach((phase, samples) -> map.put(phase, samples.percentile(50)));
    return map;
  }
}
