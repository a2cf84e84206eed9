package io.deltabox.snapshot.table;

import io.deltabox.snapshot.PageRange;
import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The three tables a snapshot is read through, whatever its depth: its own over the middle one over
 * the keyframe, which is complete. Immutable.
 */
public record Layers(Layer keyframe, Layer middle, Layer own) {
  /** A snapshot without anything. */
  public static final Layers EMPTY = new Layers(Layer.EMPTY, Layer.EMPTY, Layer.EMPTY);

  private List<Layer> downward() {
    return List.of(own, middle, keyframe);
  }

  /** The maps that have pages, with all their pages. */
  public Set<String> maps() {
    Set<String> names = new TreeSet<>();
    downward().forEach(layer -> names.addAll(layer.maps().keySet()));
    names.removeIf(name -> !hasPages(name));
    return names;
  }

  private boolean hasPages(String map) {
    return !pages(map, PageRange.ALL).isEmpty();
  }

  /** The pages of a map that have content and lie in a range. */
  public PageRuns pages(String map, PageRange range) {
    PageRuns runs = PageRuns.EMPTY;
    for (Layer layer : downward()) {
      runs = PageRuns.over(layer.map(map).within(range), runs);
      if (layer.hides(map)) {
        break;
      }
    }
    return runs.withoutGone();
  }

  /** Looks up single pages of a map. */
  public PageLookup lookup(String map) {
    List<PageRuns> runs = new ArrayList<>();
    for (Layer layer : downward()) {
      runs.add(layer.map(map));
      if (layer.hides(map)) {
        break;
      }
    }
    return new PageLookup(runs);
  }

  public Optional<StoredFile> file(Bytes key) {
    for (Layer layer : downward()) {
      Optional<Optional<StoredFile>> said = layer.file(key);
      if (said.isPresent()) {
        return said.get();
      }
    }
    return Optional.empty();
  }

  /** All files, by ascending key. */
  public NavigableMap<Bytes, StoredFile> files() {
    TreeMap<Bytes, StoredFile> files = new TreeMap<>(keyframe.files());
    for (Layer layer : List.of(middle, own)) {
      files.keySet().removeAll(layer.goneFiles());
      files.putAll(layer.files());
    }
    return files;
  }

  /** All of it in one layer that needs none below. */
  public Layer flat() {
    return Layer.over(Layer.over(keyframe, middle), own).complete();
  }

  /** Every chunk that any of the layers refers to. */
  public Set<ChunkId> chunks() {
    Set<ChunkId> chunks = new HashSet<>();
    downward().forEach(layer -> layer.addChunksTo(chunks));
    return chunks;
  }
}
