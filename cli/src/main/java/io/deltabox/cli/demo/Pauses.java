package io.deltabox.cli.demo;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The pauses of one operation and where they went. Not thread-safe. */
final class Pauses {
  private static final String TOTAL = "pause";

  private final String operation;
  private final Map<String, List<Long>> nanos = new LinkedHashMap<>();

  Pauses(String operation) {
    this.operation = operation;
  }

  void add(long pauseNanos, Map<String, Long> phaseNanos) {
    nanos.computeIfAbsent(TOTAL, name -> new ArrayList<>()).add(pauseNanos);
    phaseNanos.forEach(
        (phase, value) -> nanos.computeIfAbsent(phase, name -> new ArrayList<>()).add(value));
  }

  /** Milliseconds: {@code pause} and each phase, with p50 and p99. */
  Map<String, Object> describe() {
    Map<String, Object> map = new LinkedHashMap<>();
    nanos.forEach(
        (name, values) ->
            map.put(name, Map.of("p50", percentile(values, 50), "p99", percentile(values, 99))));
    return map;
  }

  /** Rows of {@code what, p50, p99}. */
  String table() {
    StringBuilder text =
        new StringBuilder(
            String.format(Locale.ROOT, "%-24s%10s%10s%n", operation + ", ms", "p50", "p99"));
    nanos.forEach(
        (name, values) ->
            text.append(
                String.format(
                    Locale.ROOT,
                    "%-24s%10.3f%10.3f%n",
                    (name.equals(TOTAL) ? "" : "  ") + name,
                    percentile(values, 50),
                    percentile(values, 99))));
    return text.toString();
  }

  private static double percentile(List<Long> values, int percent) {
    List<Long> sorted = values.stream().sorted().toList();
    int rank = (int) Math.ceil(percent / 100.0 * sorted.size());
    return Math.round(sorted.get(Math.max(rank, 1) - 1) / 1e3) / 1e3;
  }
}
