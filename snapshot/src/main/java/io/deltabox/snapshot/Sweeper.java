package io.deltabox.snapshot;

import io.deltabox.snapshot.read.Manifests;
import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import io.deltabox.store.ChunkStore;
import io.deltabox.store.Durability;
import io.deltabox.store.HotStore;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.RecordRange;
import io.deltabox.store.RecordStore;
import io.deltabox.store.Space;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Removes chunks that no snapshot needs, while nobody writes. Whatever cannot be read ends it
 * before anything is removed. Chunks go first, then what says of them which others they need: so
 * that is never missing, wherever a crash comes.
 */
final class Sweeper {
  private static final int BATCH_COUNT = 1024;

  private final HotStore hot;
  private final Manifests manifests;

  Sweeper(HotStore hot, Manifests manifests) {
    this.hot = hot;
    this.manifests = manifests;
  }

  SweepReport sweep() throws StoreException {
    Marks marks = new Marks(hot.records());
    List<UUID> ids = manifests.ids();
    for (UUID id : ids) {
      var manifest =
          manifests
              .find(id)
              .orElseThrow(() -> new StoreCorruptException("manifest is gone: snapshot=" + id));
      marks.mark(manifest, manifests);
    }
    marks.markBases();
    long kept = 0;
    long removed = 0;
    long bytes = 0;
    List<ChunkId> batch = new ArrayList<>();
    try (ChunkStore.Cursor cursor = hot.chunks().ids(new ChunkId(0, 0, 0, 0))) {
      while (cursor.next()) {
        if (marks.marked().containsKey(cursor.id())) {
          kept++;
          continue;
        }
        removed++;
        bytes += cursor.bytes();
        batch.add(cursor.id());
        if (batch.size() == BATCH_COUNT) {
          hot.chunks().delete(batch);
          batch.clear();
        }
      }
    }
    hot.chunks().delete(batch);
    removeSummaries(marks);
    return new SweepReport(ids.size(), kept, removed, bytes);
  }

  private void removeSummaries(Marks marks) throws StoreException {
    RecordBatch batch = new RecordBatch();
    try (RecordStore.Cursor cursor = hot.records().scan(Space.SUMMARY, RecordRange.ALL)) {
      while (cursor.next()) {
        Bytes key = cursor.key();
        if (!marks.marked().containsKey(ChunkId.read(key.buffer()))) {
          batch.delete(Space.SUMMARY, key);
        }
      }
    }
    hot.records().commit(batch, Durability.SYNC);
  }
}
