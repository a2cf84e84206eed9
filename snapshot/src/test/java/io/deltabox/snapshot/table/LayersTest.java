package io.deltabox.snapshot.table;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.snapshot.PageRange;
import io.deltabox.store.testkit.Samples;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Layers over each other say what plain maps say. */
final class LayersTest {
  /** What is said of each page of a map, in words. */
  private static NavigableMap<Long, String> said(PageRuns runs) {
    NavigableMap<Long, String> said = new TreeMap<>();
    for (int run = 0; run < runs.size(); run++) {
      for (int i = 0; i < runs.count(run); i++) {
        String what = runs.gone(run) ? "gone" : runs.zero(run) ? "zero" : chunk(runs, run, i);
        assertThat(said.put(runs.first(run) + i, what)).isNull();
      }
    }
    return said;
  }

  private static String chunk(PageRuns runs, int run, int i) {
    return runs.chunk(run) + "/" + (runs.at(run) + i);
  }

  private static void apply(Layer layer, Map<String, NavigableMap<Long, String>> state) {
    layer.goneMaps().forEach(state::remove);
    layer.fresh().forEach(state::remove);
    layer
        .maps()
        .forEach(
            (map, runs) -> {
              NavigableMap<Long, String> pages = state.computeIfAbsent(map, m -> new TreeMap<>());
              pages.putAll(said(runs));
              pages.values().removeIf("gone"::equals);
            });
    state.values().removeIf(Map::isEmpty);
  }

  private static Map<String, NavigableMap<Long, String>> read(Layers layers) {
    Map<String, NavigableMap<Long, String>> state = new TreeMap<>();
    for (String map : layers.maps()) {
      state.put(map, said(layers.pages(map, PageRange.ALL)));
    }
    return state;
  }

  @Test
  void layers_atRandom_sayWhatPlainMapsSay() {
    long seed = Samples.seed("layers");
    Random random = new Random(seed);
    for (int round = 0; round < Samples.count(300, 3000); round++) {
      Map<String, NavigableMap<Long, String>> state = new TreeMap<>();
      TreeMap<Object, Object> files = new TreeMap<>();
      Layers layers = Layers.EMPTY;
      for (int step = 0; step < 8; step++) {
        Layer delta = RandomLayers.layer(random);
        apply(delta, state);
        files.keySet().removeAll(delta.goneFiles());
        files.putAll(delta.files());
        layers = put(layers, delta, random.nextInt(4));
        String where = "seed=" + seed + " round=" + round + " step=" + step;
        assertThat(read(layers)).as(where).isEqualTo(state);
        assertThat(new TreeMap<Object, Object>(layers.files())).as(where).isEqualTo(files);
        assertLookups(layers, state, random, where);
      }
    }
  }

  private static Layers put(Layers layers, Layer delta, int how) {
    Layer own = Layer.over(layers.own(), delta);
    return switch (how) {
      case 0 -> new Layers(layers.keyframe(), Layer.over(layers.middle(), own), Layer.EMPTY);
      case 1 ->
          new Layers(
              new Layers(layers.keyframe(), layers.middle(), own).flat(), Layer.EMPTY, Layer.EMPTY);
      default -> new Layers(layers.keyframe(), layers.middle(), own);
    };
  }

  private static void assertLookups(
      Layers layers, Map<String, NavigableMap<Long, String>> state, Random random, String where) {
    for (Map.Entry<String, NavigableMap<Long, String>> map : state.entrySet()) {
      List<Long> pages = new ArrayList<>(map.getValue().keySet());
      for (int i = 0; i < 10; i++) {
        long page = pages.get(random.nextInt(pages.size())) + random.nextInt(2);
        String expected = map.getValue().get(page);
        PageLookup lookup = layers.lookup(map.getKey());
        assertThat(lookup.has(page)).as(where).isEqualTo(expected != null);
        String place =
            lookup.place(page).map(found -> found.chunk() + "/" + found.page()).orElse(null);
        assertThat(place).as(where).isEqualTo("zero".equals(expected) ? null : expected);
        PageRange range = new PageRange(page, page + 1 + random.nextInt(500));
        assertThat(said(layers.pages(map.getKey(), range)))
            .as(where)
            .isEqualTo(map.getValue().subMap(range.from(), range.to()));
      }
    }
  }
}
