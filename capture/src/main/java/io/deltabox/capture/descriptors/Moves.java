package io.deltabox.capture.descriptors;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The order in which received descriptors are moved to their numbers, so that none is overwritten
 * before it has moved.
 */
final class Moves {
  /** Duplicates {@code from} as {@code to}, then closes {@code from}. */
  record Move(int from, int to) {}

  private Moves() {}

  /**
   * Plans the moves.
   *
   * @param wanted number received at, to number wanted at; numbers wanted are free or received at
   * @param used all other numbers in use, for finding a free one when numbers change places
   */
  static List<Move> plan(Map<Integer, Integer> wanted, Set<Integer> used) {
    SortedMap<Integer, Integer> pending = new TreeMap<>(wanted);
    pending.entrySet().removeIf(entry -> entry.getKey().equals(entry.getValue()));
    List<Move> moves = new ArrayList<>();
    while (!pending.isEmpty()) {
      if (!moveOne(pending, moves)) {
        int from = pending.firstKey();
        int spare = spare(pending, wanted, used);
        moves.add(new Move(from, spare));
        Integer to = pending.remove(from);
        if (to != null) {
          pending.put(spare, to);
        }
      }
    }
    return moves;
  }

  private static boolean moveOne(SortedMap<Integer, Integer> pending, List<Move> moves) {
    for (Iterator<Map.Entry<Integer, Integer>> each = pending.entrySet().iterator();
        each.hasNext(); ) {
      Map.Entry<Integer, Integer> entry = each.next();
      if (!pending.containsKey(entry.getValue())) {
        moves.add(new Move(entry.getKey(), entry.getValue()));
        each.remove();
        return true;
      }
    }
    return false;
  }

  private static int spare(
      Map<Integer, Integer> pending, Map<Integer, Integer> wanted, Set<Integer> used) {
    int spare = 0;
    while (used.contains(spare)
        || pending.containsKey(spare)
        || wanted.containsKey(spare)
        || wanted.containsValue(spare)) {
      spare++;
    }
    return spare;
  }
}
