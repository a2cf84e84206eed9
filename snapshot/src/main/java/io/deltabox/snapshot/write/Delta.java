package io.deltabox.snapshot.write;

import io.deltabox.snapshot.PageRange;
import io.deltabox.snapshot.table.Layer;
import io.deltabox.snapshot.table.Layers;
import io.deltabox.snapshot.table.Manifest;
import io.deltabox.snapshot.table.PageRuns;
import io.deltabox.snapshot.table.StoredFile;
import io.deltabox.store.Bytes;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What a snapshot changes, as a layer over its parent's, and the tables it gets by it. */
final class Delta {
  /** The own table is merged into the middle one when it has grown over so many snapshots. */
  static final int OWN_STEPS_MAX = 8;

  /** A keyframe is made when the middle table has grown over so many snapshots, */
  static final int MIDDLE_STEPS_MAX = 32;

  /** or when what lies over it is more than this part of it. */
  private static final int KEYFRAME_SHARE = 4;

  /**
   * The tables of a snapshot.
   *
   * @param ownSteps see {@link Manifest}
   */
  record Tables(Layers layers, int ownSteps, int middleSteps) {}

  private final Layers below;
  private final Layer layer;

  Delta(
      Layers below,
      Map<String, PageCutter> maps,
      Collection<StoredWriter.PendingFile> files,
      Set<Bytes> goneFiles,
      @Nullable Set<String> kept) {
    this.below = below;
    TreeMap<String, PageRuns> runs = new TreeMap<>();
    for (Map.Entry<String, PageCutter> map : maps.entrySet()) {
      if (kept == null || kept.contains(map.getKey())) {
        PageRuns parent = below.pages(map.getKey(), PageRange.ALL);
        PageRuns said = map.getValue().delta().runs(parent);
        if (!said.isEmpty()) {
          runs.put(map.getKey(), said);
        }
      }
    }
    TreeSet<String> goneMaps = new TreeSet<>();
    if (kept != null) {
      goneMaps.addAll(below.maps());
      goneMaps.removeAll(kept);
    }
    TreeMap<Bytes, StoredFile> put = new TreeMap<>();
    files.forEach(file -> put.put(file.entry().key(), file.stored()));
    TreeSet<Bytes> gone = new TreeSet<>(goneFiles);
    gone.removeIf(key -> below.file(key).isEmpty());
    this.layer = new Layer(runs, new TreeSet<>(), goneMaps, put, gone);
  }

  /** What the parent's tables become with it. */
  Tables over(@Nullable Manifest parent) {
    if (parent == null) {
      return new Tables(new Layers(layer.complete(), Layer.EMPTY, Layer.EMPTY), 0, 0);
    }
    Layer own = Layer.over(below.own(), layer);
    Layers layers = new Layers(below.keyframe(), below.middle(), own);
    int ownSteps = parent.ownSteps() + 1;
    int middleSteps = parent.middleSteps();
    long overlay = layers.middle().weight() + own.weight();
    boolean mergeDue = ownSteps > OWN_STEPS_MAX;
    if (overlay > below.keyframe().weight() / KEYFRAME_SHARE
        || (mergeDue && middleSteps + ownSteps > MIDDLE_STEPS_MAX)) {
      return new Tables(new Layers(layers.flat(), Layer.EMPTY, Layer.EMPTY), 0, 0);
    }
    if (mergeDue) {
      Layer middle = Layer.over(below.middle(), own);
      return new Tables(
          new Layers(below.keyframe(), middle, Layer.EMPTY), 0, middleSteps + ownSteps);
    }
    return new Tables(layers, ownSteps, middleSteps);
  }
}
