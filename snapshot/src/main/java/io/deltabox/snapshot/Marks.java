package io.deltabox.snapshot;

import io.deltabox.snapshot.format.ChunkType;
import io.deltabox.snapshot.read.Manifests;
import io.deltabox.snapshot.table.Layer;
import io.deltabox.snapshot.table.Manifest;
import io.deltabox.snapshot.table.ManifestFormat;
import io.deltabox.snapshot.table.PageRuns;
import io.deltabox.snapshot.table.StoredFile;
import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import io.deltabox.store.RecordStore;
import io.deltabox.store.Space;
import io.deltabox.store.StoreException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Which chunks a snapshot needs, with their types. About 150 bytes of memory per chunk. */
final class Marks {
  private static final int LOOKUP_COUNT = 1024;

  private final RecordStore records;
  private final Map<ChunkId, ChunkType> marked = new TreeMap<>();

  Marks(RecordStore records) {
    this.records = records;
  }

  Map<ChunkId, ChunkType> marked() {
    return marked;
  }

  /** Marks all that a snapshot refers to. */
  void mark(Manifest manifest, Manifests manifests) throws StoreException {
    markAll(manifest.keyframe().chunks(), ChunkType.TABLE);
    markAll(manifest.middle().chunks(), ChunkType.TABLE);
    markAll(manifest.own().chunks(), ChunkType.TABLE);
    markAll(manifest.records().chunks(), ChunkType.RECORDS);
    var layers = manifests.layers(manifest);
    for (Layer layer : List.of(layers.keyframe(), layers.middle(), layers.own())) {
      Set<ChunkId> pages = new HashSet<>();
      for (PageRuns runs : layer.maps().values()) {
        runs.addChunksTo(pages);
      }
      markAll(pages, ChunkType.PAGES);
      for (StoredFile file : layer.files().values()) {
        file.pieces().forEach(piece -> marked.put(piece.chunk(), ChunkType.FILE));
      }
    }
  }

  private void markAll(Iterable<ChunkId> ids, ChunkType type) {
    ids.forEach(id -> marked.put(id, type));
  }

  /** Marks what the marked ones are encoded against. Those have no bases themselves. */
  void markBases() throws StoreException {
    List<ChunkId> ids = new ArrayList<>(marked.keySet());
    for (int from = 0; from < ids.size(); from += LOOKUP_COUNT) {
      List<ChunkId> some = ids.subList(from, Math.min(from + LOOKUP_COUNT, ids.size()));
      List<Bytes> keys = some.stream().map(id -> Bytes.of(id.toArray())).toList();
      Map<Bytes, Bytes> found = records.getAll(Space.SUMMARY, keys);
      for (Map.Entry<Bytes, Bytes> entry : found.entrySet()) {
        ChunkId id = ChunkId.read(entry.getKey().buffer());
        for (ChunkId base : ManifestFormat.bases(id, entry.getValue())) {
          marked.putIfAbsent(base, ChunkType.PAGES);
        }
      }
    }
  }
}
