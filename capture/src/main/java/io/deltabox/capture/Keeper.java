package io.deltabox.capture;

import java.io.IOException;
import java.util.BitSet;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * The lineage of a sandbox in memory: snapshots and the store their pages lie in. Bounded by bytes
 * of page content; nothing is dropped unless removed by name. Guarded by the engine.
 */
final class Keeper implements AutoCloseable {
  private final PageStore store;
  private final MemoryWork work;
  private final int zeroSlot;
  private final Map<UUID, SnapshotState> snapshots = new LinkedHashMap<>();

  Keeper(long bytesMax) throws IOException {
    this.store = new PageStore(bytesMax);
    try (io.deltabox.linux.Memory zeros =
        io.deltabox.linux.Memory.allocate(
            PageStore.PAGE_BYTES, io.deltabox.linux.Memory.Touch.NOW)) {
      this.zeroSlot = store.take(zeros.address());
    }
    this.work = new MemoryWork(store, zeroSlot);
  }

  MemoryWork work() {
    return work;
  }

  PageStore store() {
    return store;
  }

  void put(SnapshotState snapshot) {
    snapshots.put(snapshot.id(), snapshot);
  }

  SnapshotState get(UUID id) throws CaptureException {
    SnapshotState found = snapshots.get(id);
    if (found == null) {
      throw new CaptureException("no such snapshot in memory: id=" + id);
    }
    return found;
  }

  Collection<SnapshotState> all() {
    return snapshots.values();
  }

  Collection<UUID> ids() {
    return snapshots.keySet();
  }

  /**
   * @param alsoLive maps in use beside those of the snapshots
   */
  void remove(UUID id, Set<PageMap> alsoLive) throws CaptureException {
    get(id);
    snapshots.remove(id);
    collect(alsoLive);
  }

  /** Frees pages that no snapshot and no living process refers to. */
  void collect(Set<PageMap> alsoLive) {
    BitSet live = new BitSet();
    Set<PageMap.Node> visited = Collections.newSetFromMap(new IdentityHashMap<>());
    live.set(zeroSlot);
    alsoLive.forEach(map -> map.mark(live, visited));
    work.maps().forEach(map -> map.mark(live, visited));
    for (SnapshotState snapshot : snapshots.values()) {
      snapshot.processes().values().forEach(p -> p.pages().mark(live, visited));
      snapshot.objects().values().forEach(o -> o.pages().mark(live, visited));
    }
    store.keepOnly(live);
  }

  /** The error that says how to make room. */
  KeeperFullException full() {
    collect(Set.of());
    String oldest =
        snapshots.isEmpty()
            ? " (the running processes alone need more: raise the limit)"
            : " (remove one, for example the oldest: " + snapshots.keySet().iterator().next() + ")";
    return new KeeperFullException(store.bytesMax(), oldest);
  }

  long pages(SnapshotState snapshot) {
    long[] count = new long[1];
    snapshot.processes().values().forEach(p -> p.pages().forEach((page, slot) -> count[0]++));
    return count[0];
  }

  long bytesUsed() {
    return store.bytesUsed();
  }

  long bytesMax() {
    return store.bytesMax();
  }

  @Override
  public void close() {
    store.close();
  }
}
