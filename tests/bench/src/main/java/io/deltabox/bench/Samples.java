package io.deltabox.bench;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Durations of one kind in nanoseconds. Not thread-safe. */
final class Samples {
  private long[] nanos = new long[256];
  private int count;

  void add(long value) {
    if (count == nanos.length) {
      nanos = Arrays.copyOf(nanos, 2 * count);
    }
    nanos[count++] = value;
  }

  int count() {
    return count;
  }

  /** The smallest sample that at least {@code percent} of all do not exceed, in milliseconds. */
  double percentile(double percent) {
    if (count == 0) {
      return Double.NaN;
    }
    long[] sorted = Arrays.copyOf(nanos, count);
    Arrays.sort(sorted);
    int rank = (int) Math.ceil(percent / 100 * count);
    return milliseconds(sorted[Math.max(rank, 1) - 1]);
  }

  /** The usual percentiles by name, milliseconds. */
  Map<String, Object> describe() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("p50", percentile(50));
    map.put("p90", percentile(90));
    map.put("p99", percentile(99));
    map.put("max", percentile(100));
    map.put("count", count);
    return map;
  }

  private static double milliseconds(long nanos) {
    return Math.round(nanos / 1e3) / 1e3;
  }
}
