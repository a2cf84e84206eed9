package io.deltabox.snapshot;

import io.deltabox.snapshot.VerifyReport.Damage;
import io.deltabox.snapshot.format.ChunkType;
import io.deltabox.snapshot.read.ChunkLoader;
import io.deltabox.snapshot.read.Manifests;
import io.deltabox.store.ChunkId;
import io.deltabox.store.HotStore;
import io.deltabox.store.StoreClosedException;
import io.deltabox.store.StoreException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Reads everything that any snapshot needs, each chunk once, and says what is damaged. */
final class Verification {
  private final HotStore hot;
  private final Manifests manifests;
  private final ChunkLoader loader;
  private final Map<String, List<UUID>> damages = new LinkedHashMap<>();

  Verification(HotStore hot, Manifests manifests, ChunkLoader loader) {
    this.hot = hot;
    this.manifests = manifests;
    this.loader = loader;
  }

  VerifyReport run() throws StoreException {
    loader.forget();
    Map<ChunkId, ChunkType> types = new LinkedHashMap<>();
    Map<ChunkId, List<UUID>> users = new LinkedHashMap<>();
    List<UUID> ids = manifests.ids();
    for (UUID id : ids) {
      collect(id, types, users);
    }
    long bytes = 0;
    for (Map.Entry<ChunkId, ChunkType> chunk : types.entrySet()) {
      try {
        bytes += loader.verify(chunk.getValue(), chunk.getKey());
      } catch (StoreClosedException e) {
        throw e;
      } catch (StoreException e) {
        damages
            .computeIfAbsent(e.getMessage(), m -> new ArrayList<>())
            .addAll(users.getOrDefault(chunk.getKey(), List.of()));
      }
    }
    try {
      hot.verify();
    } catch (StoreClosedException e) {
      throw e;
    } catch (StoreException e) {
      damages.computeIfAbsent(e.getMessage(), m -> new ArrayList<>());
    }
    List<Damage> found = new ArrayList<>();
    damages.forEach((what, who) -> found.add(new Damage(what, who)));
    return new VerifyReport(ids.size(), types.size(), bytes, found);
  }

  private void collect(UUID id, Map<ChunkId, ChunkType> types, Map<ChunkId, List<UUID>> users)
      throws StoreException {
    try {
      var manifest = manifests.find(id);
      if (manifest.isEmpty()) {
        return;
      }
      Marks marks = new Marks(hot.records());
      marks.mark(manifest.get(), manifests);
      marks.markBases();
      types.putAll(marks.marked());
      for (ChunkId chunk : marks.marked().keySet()) {
        users.computeIfAbsent(chunk, c -> new ArrayList<>()).add(id);
      }
    } catch (StoreClosedException e) {
      throw e;
    } catch (StoreException e) {
      damages.computeIfAbsent(e.getMessage(), m -> new ArrayList<>()).add(id);
    }
  }
}
