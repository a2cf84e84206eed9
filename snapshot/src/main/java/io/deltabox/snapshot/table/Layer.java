package io.deltabox.snapshot.table;

import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import java.util.Collections;
import java.util.HashSet;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What one table says, of a snapshot or of what it changes against what lies below. Immutable.
 *
 * @param maps what it says of pages, by map
 * @param fresh maps of which whatever lies below does not count
 * @param goneMaps maps that are not there, whatever lies below
 * @param files files that are new or changed
 * @param goneFiles files that are not there, whatever lies below
 */
public record Layer(
    SortedMap<String, PageRuns> maps,
    SortedSet<String> fresh,
    SortedSet<String> goneMaps,
    NavigableMap<Bytes, StoredFile> files,
    SortedSet<Bytes> goneFiles) {
  /** Says nothing. */
  public static final Layer EMPTY =
      new Layer(
          new TreeMap<>(), new TreeSet<>(), new TreeSet<>(), new TreeMap<>(), new TreeSet<>());

  /**
   * A file is as much as this many pages when layers are compared: about what it takes more to
   * store.
   */
  private static final int PAGES_PER_FILE = 16;

  public Layer {
    maps = Collections.unmodifiableSortedMap(new TreeMap<>(maps));
    fresh = Collections.unmodifiableSortedSet(new TreeSet<>(fresh));
    goneMaps = Collections.unmodifiableSortedSet(new TreeSet<>(goneMaps));
    files = Collections.unmodifiableNavigableMap(new TreeMap<>(files));
    goneFiles = Collections.unmodifiableSortedSet(new TreeSet<>(goneFiles));
  }

  public boolean isEmpty() {
    return maps.isEmpty() && goneMaps.isEmpty() && files.isEmpty() && goneFiles.isEmpty();
  }

  /** What it says of a map; empty if it says nothing. */
  public PageRuns map(String name) {
    PageRuns runs = maps.get(name);
    return runs == null ? PageRuns.EMPTY : runs;
  }

  /** Whether what lies below does not count for a map. */
  public boolean hides(String map) {
    return goneMaps.contains(map) || fresh.contains(map);
  }

  /** What it says of a file: there, or gone (empty inside), or nothing (empty). */
  Optional<Optional<StoredFile>> file(Bytes key) {
    StoredFile file = files.get(key);
    if (file != null) {
      return Optional.of(Optional.of(file));
    }
    return goneFiles.contains(key) ? Optional.of(Optional.empty()) : Optional.empty();
  }

  /** How much it says, about in pages. */
  public long weight() {
    long weight = goneMaps.size() + (long) PAGES_PER_FILE * (files.size() + goneFiles.size());
    for (PageRuns runs : maps.values()) {
      weight += runs.entries();
    }
    return weight;
  }

  /** How much memory it takes, about in bytes. */
  public long memoryBytes() {
    long bytes = 1000;
    for (PageRuns runs : maps.values()) {
      bytes += 200 + 28L * runs.size();
    }
    for (StoredFile file : files.values()) {
      bytes += 300 + file.entry().key().length() + file.entry().body().length();
      bytes += 40L * file.entry().extents().size() + 32L * file.pieces().size();
    }
    Set<ChunkId> chunks = new HashSet<>();
    addChunksTo(chunks);
    return bytes + 64L * chunks.size() + 100L * goneFiles.size();
  }

  /** All chunks it refers to. */
  public void addChunksTo(Set<ChunkId> chunks) {
    maps.values().forEach(runs -> runs.addChunksTo(chunks));
    for (StoredFile file : files.values()) {
      file.pieces().forEach(piece -> chunks.add(piece.chunk()));
    }
  }

  /** What two layers say together, where the upper one is asked first. */
  public static Layer over(Layer lower, Layer upper) {
    if (lower.isEmpty() || upper.isEmpty()) {
      return upper.isEmpty() ? lower : upper;
    }
    TreeMap<String, PageRuns> maps = new TreeMap<>(lower.maps);
    TreeSet<String> fresh = new TreeSet<>(lower.fresh);
    TreeSet<String> goneMaps = new TreeSet<>(lower.goneMaps);
    for (String gone : upper.goneMaps) {
      maps.remove(gone);
      fresh.remove(gone);
      goneMaps.add(gone);
    }
    for (Map.Entry<String, PageRuns> entry : upper.maps.entrySet()) {
      String map = entry.getKey();
      boolean hides = upper.fresh.contains(map) || goneMaps.contains(map);
      PageRuns below = hides ? PageRuns.EMPTY : lower.map(map);
      maps.put(map, PageRuns.over(below, entry.getValue()));
      if (hides) {
        fresh.add(map);
        goneMaps.remove(map);
      }
    }
    TreeMap<Bytes, StoredFile> files = new TreeMap<>(lower.files);
    TreeSet<Bytes> goneFiles = new TreeSet<>(lower.goneFiles);
    files.keySet().removeAll(upper.goneFiles);
    goneFiles.addAll(upper.goneFiles);
    files.putAll(upper.files);
    goneFiles.removeAll(upper.files.keySet());
    return new Layer(maps, fresh, goneMaps, files, goneFiles);
  }

  /** Without all that only matters for what lies below, when nothing does. */
  public Layer complete() {
    TreeMap<String, PageRuns> rest = new TreeMap<>();
    for (Map.Entry<String, PageRuns> entry : maps.entrySet()) {
      PageRuns runs = entry.getValue().withoutGone();
      if (!runs.isEmpty()) {
        rest.put(entry.getKey(), runs);
      }
    }
    return new Layer(rest, new TreeSet<>(), new TreeSet<>(), files, new TreeSet<>());
  }
}
