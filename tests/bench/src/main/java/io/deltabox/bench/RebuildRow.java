package io.deltabox.bench;

import io.deltabox.RollbackResult;
import io.deltabox.capture.InjectedWork;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All samples of one case of {@link RebuildBench}. Not thread-safe. */
final class RebuildRow {
  private final String about;
  private final double budget;
  private final Samples pause = new Samples();
  private final Samples call = new Samples();
  private final Samples answer = new Samples();
  private final Samples fresh = new Samples();
  private final Samples copy = new Samples();
  private final Map<String, Samples> phases = new LinkedHashMap<>();
  private List<InjectedWork> injected = List.of();
  private boolean answers;

  /**
   * @param about what has ended and comes back
   * @param budget what the median of the pause, or of the first answer, is to stay below,
   *     milliseconds
   */
  RebuildRow(String about, double budget) {
    this.about = about;
    this.budget = budget;
  }

  /** A rollback in place. */
  void add(RollbackResult done, long answerNanos) {
    pause.add(done.pauseNanos());
    call.add(done.callNanos());
    answer.add(answerNanos);
    done.phaseNanos()
        .forEach((phase, nanos) -> phases.computeIfAbsent(phase, p -> new Samples()).add(nanos));
    injected = done.injected();
  }

  /** A new sandbox, which nothing pauses; the budget is that of the first answer. */
  void add(long callNanos, long answerNanos) {
    answers = true;
    call.add(callNanos);
    answer.add(answerNanos);
  }

  /** The peer: the same state reached from scratch, until the first answer. */
  void addFresh(long nanos) {
    fresh.add(nanos);
  }

  /** What cannot be avoided: the bytes of its memory copied once into memory nobody has touched. */
  void addCopy(long nanos) {
    copy.add(nanos);
  }

  /** Median of what the budget is about. */
  private double measured() {
    return (answers ? answer : pause).percentile(50);
  }

  Map<String, Object> describe() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("about", about);
    if (pause.count() > 0) {
      map.put("pause_ms", pause.describe());
    }
    map.put("call_ms", call.describe());
    map.put("first_answer_ms", answer.describe());
    map.put("from_scratch_ms", fresh.describe());
    map.put("ratio_to_from_scratch", ratio(answer.percentile(50), fresh.percentile(50)));
    if (copy.count() > 0) {
      map.put("copy_of_its_memory_ms", copy.describe());
      map.put("ratio_to_copy", ratio(answer.percentile(50), copy.percentile(50)));
    }
    map.put("budget_of", answers ? "first_answer" : "pause");
    map.put("budget_ms", budget);
    map.put("within_budget", measured() <= budget);
    Map<String, Object> parts = new LinkedHashMap<>();
    phases.forEach((phase, samples) -> parts.put(phase, samples.percentile(50)));
    map.put("phases_ms", parts);
    map.put("injected_stops_last_round", injected.stream().mapToLong(InjectedWork::stops).sum());
    map.put("injected_calls_last_round", injected.stream().mapToLong(InjectedWork::calls).sum());
    return map;
  }

  private static double ratio(double one, double other) {
    return Math.round(1000 * one / other) / 1e3;
  }
}
