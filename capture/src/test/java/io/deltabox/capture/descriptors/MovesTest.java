package io.deltabox.capture.descriptors;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class MovesTest {
  @Test
  void plan_randomNumbers_neverOverwritesWhatIsStillNeeded() {
    Random random = new Random(7);
    for (int round = 0; round < 2000; round++) {
      List<Integer> numbers = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        numbers.add(i);
      }
      Collections.shuffle(numbers, random);
      int count = 1 + random.nextInt(8);
      List<Integer> to = new ArrayList<>(numbers.subList(0, count));
      Set<Integer> used = new HashSet<>(numbers.subList(count, count + random.nextInt(3)));
      numbers.removeAll(used);
      Collections.shuffle(numbers, random);
      Map<Integer, Integer> wanted = new HashMap<>();
      Map<Integer, String> table = new HashMap<>();
      for (int i = 0; i < count; i++) {
        wanted.put(numbers.get(i), to.get(i));
        table.put(numbers.get(i), "file " + to.get(i));
      }
      for (int number : used) {
        table.put(number, "used");
      }
      Map<Integer, String> expected = new HashMap<>();
      to.forEach(number -> expected.put(number, "file " + number));
      used.forEach(number -> expected.put(number, "used"));

      for (Moves.Move move : Moves.plan(wanted, used)) {
        assertThat(table).containsKey(move.from()).doesNotContainKey(move.to());
        table.put(move.to(), table.remove(move.from()));
      }
      assertThat(table).isEqualTo(expected);
    }
  }
}
