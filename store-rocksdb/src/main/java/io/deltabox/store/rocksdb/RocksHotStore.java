package io.deltabox.store.rocksdb;

import io.deltabox.store.Capability;
import io.deltabox.store.ChunkStore;
import io.deltabox.store.HotStore;
import io.deltabox.store.RecordStore;
import io.deltabox.store.StoreException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.rocksdb.MemoryUsageType;
import org.rocksdb.MemoryUtil;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/** A hot store in RocksDB. */
final class RocksHotStore implements HotStore {
  private final Path directory;
  private final Handles handles;
  private final SegmentLog log;
  private final Segments segments;
  private final Index index;
  private final Buffers buffers;
  private final Upkeep upkeep;
  private final Watermark watermark;
  private final ChunkStore chunks;
  private final RecordStore records;
  private final Verifier verifier;

  /**
   * Takes all of them over.
   *
   * @param directory where the store lies
   */
  RocksHotStore(
      Path directory,
      Handles handles,
      Segments segments,
      Index index,
      SegmentLog log,
      Watermark watermark,
      long segmentBytes) {
    this.directory = directory;
    this.handles = handles;
    this.segments = segments;
    this.index = index;
    this.log = log;
    this.watermark = watermark;
    this.buffers = new Buffers();
    Object removing = new Object();
    Changes changes = new Changes(handles, index, log, buffers, 2 * segmentBytes, this::wakeUpkeep);
    this.chunks = new RocksChunks(handles, index, segments, changes, buffers);
    this.records = new RocksRecords(handles, changes, log);
    this.verifier = new Verifier(handles, directory.resolve("db"), segments, index, log, removing);
    this.upkeep =
        new Upkeep(
            handles, log, new Rewriter(handles, segments, index, changes, buffers, removing));
    if (!handles.readOnly()) {
      upkeep.start();
      upkeep.wake();
    }
  }

  private void wakeUpkeep() {
    upkeep.wake();
  }

  @Override
  public ChunkStore chunks() {
    return chunks;
  }

  @Override
  public RecordStore records() {
    return records;
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of(Capability.DURABLE);
  }

  @Override
  public Map<String, Long> figures() throws StoreException {
    return handles.call(
        () -> "measure store failed: directory=" + directory,
        database -> {
          Map<String, Long> figures = new LinkedHashMap<>();
          addMemory(database, figures);
          addDisk(figures);
          addCounts(database, figures);
          return figures;
        });
  }

  /** Memtables are charged to the cache, so they are part of its figure. */
  private void addMemory(RocksDB database, Map<String, Long> figures) {
    Map<MemoryUsageType, Long> used =
        MemoryUtil.getApproximateMemoryUsageByType(List.of(database), Set.of(handles.cache()));
    long memtables = used.getOrDefault(MemoryUsageType.kMemTableTotal, 0L);
    long readers = used.getOrDefault(MemoryUsageType.kTableReadersTotal, 0L);
    long cache = used.getOrDefault(MemoryUsageType.kCacheTotal, 0L);
    figures.put("memory_bytes", Math.max(cache, memtables) + readers + buffers.bytes());
    figures.put("memtable_bytes", memtables);
    figures.put("cache_bytes", cache);
  }

  private void addDisk(Map<String, Long> figures) throws StoreException {
    try {
      long index = verifier.indexBytes();
      long segmentBytes = verifier.segmentBytes();
      figures.put("disk_bytes", index + segmentBytes);
      figures.put("index_bytes", index);
      figures.put("segment_bytes", segmentBytes);
      long live = this.index.rooms().values().stream().mapToLong(Index.Room::live).sum();
      figures.put("live_bytes", live);
      figures.put("dead_bytes", Math.max(0, segmentBytes - live));
    } catch (IOException e) {
      throw Failures.of("measure store failed: directory=" + directory, e);
    }
  }

  private void addCounts(RocksDB database, Map<String, Long> figures) throws RocksDBException {
    figures.put("chunks", property(database, Family.PLACE, "rocksdb.estimate-num-keys"));
    figures.put("unsynced_bytes", log.unsynced());
    figures.put(
        "compaction_pending_bytes",
        database.getAggregatedLongProperty("rocksdb.estimate-pending-compaction-bytes"));
    figures.put("background_errors", database.getLongProperty("rocksdb.background-errors"));
  }

  private long property(RocksDB database, Family family, String name) throws RocksDBException {
    return database.getLongProperty(handles.family(family), name);
  }

  @Override
  public void verify() throws StoreException {
    verifier.verify();
  }

  /** The index need not be written out: what it lacks is read from the log. */
  @Override
  public void close() throws StoreException {
    handles.close(
        database -> {
          try (segments;
              watermark) {
            if (!handles.readOnly()) {
              log.sync();
              watermark.sync();
            }
          } catch (IOException e) {
            throw Failures.of("close store failed: directory=" + directory, e);
          }
        });
    upkeep.end();
  }
}
