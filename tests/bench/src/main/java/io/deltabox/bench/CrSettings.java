package io.deltabox.bench;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What is measured.
 *
 * @param rssBytes touched memory of the program
 * @param threads its threads
 * @param dirtyPages distinct pages written before each request
 * @param files small files rewritten before each request
 * @param rounds measured rounds
 * @param checkedRounds rounds after them that the independent reader compares
 * @param seed of the program's choice of pages
 */
record CrSettings(
    long rssBytes,
    int threads,
    int dirtyPages,
    int files,
    int rounds,
    int checkedRounds,
    long seed) {
  private static final int WARMUP_MIN = 30;

  /** The compiler of the virtual machine needs some rounds: a fifth of the measured ones or 30. */
  int warmupRounds() {
    return Math.max(WARMUP_MIN, rounds / 5);
  }

  Map<String, Object> describe() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("rss_bytes", rssBytes);
    map.put("threads", threads);
    map.put("dirty_pages", dirtyPages);
    map.put("files", files);
    map.put("rounds", rounds);
    map.put("warmup_rounds_not_counted", warmupRounds());
    map.put("checked_rounds_not_counted", checkedRounds);
    map.put("seed", seed);
    return map;
  }
}
