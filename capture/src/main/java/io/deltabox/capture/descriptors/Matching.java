package io.deltabox.capture.descriptors;

import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which open file description of the present becomes which of the target.
 *
 * <p>The daemon keeps none between pauses, so there is no identity over time: one is as good as
 * another of the same object, and the one that most of the wanted places lead to already is taken.
 * Each serves once, so that what must not be shared is not.
 */
final class Matching {
  private final Map<OpenFile, OpenFile> chosen = new HashMap<>();

  private Matching() {}

  static Matching of(Run run, Rules rules) throws IOException {
    Matching matching = new Matching();
    Set<OpenFile> taken = new HashSet<>();
    for (OpenFile target : run.target().files()) {
      OpenFile best = atPlaces(target, run, rules, taken);
      if (best == null) {
        best = anywhere(target, run, rules, taken);
      }
      if (best != null) {
        taken.add(best);
        matching.chosen.put(target, best);
      }
    }
    return matching;
  }

  /** The present one that becomes a wanted one; null if a new one must be made. */
  @Nullable OpenFile current(OpenFile target) {
    return chosen.get(target);
  }

  /** Has a wanted one made anew after all. */
  void giveUp(OpenFile target) {
    chosen.remove(target);
  }

  private static @Nullable OpenFile atPlaces(
      OpenFile target, Run run, Rules rules, Set<OpenFile> taken) throws IOException {
    Map<OpenFile, Integer> votes = new LinkedHashMap<>();
    for (Slot slot : target.slots()) {
      OpenFile now = run.current().at(slot);
      if (now != null && !taken.contains(now)) {
        votes.merge(now, 1, Integer::sum);
      }
    }
    OpenFile best = null;
    int most = 0;
    for (Map.Entry<OpenFile, Integer> vote : votes.entrySet()) {
      if (vote.getValue() > most && rules.of(target).same(vote.getKey(), target, run)) {
        best = vote.getKey();
        most = vote.getValue();
      }
    }
    return best;
  }

  /** Objects that cannot be opened by a name are looked for under other numbers too. */
  private static @Nullable OpenFile anywhere(
      OpenFile target, Run run, Rules rules, Set<OpenFile> taken) throws IOException {
    if (!rules.isUnique(target.kind())) {
      return null;
    }
    for (OpenFile now : run.current().files()) {
      if (!taken.contains(now)
          && now.key().equals(target.key())
          && rules.of(target).same(now, target, run)) {
        return now;
      }
    }
    return null;
  }
}
