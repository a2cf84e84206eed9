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
  private final Commits commits;
  private final Watermark watermark;
  private final ChunkStore chunks;
  private final RecordStore records;
  private final Verifier verifier;

  /**
   * Takes the handles and the watermark over.
   *
   * @param directory where the database lies
   */
  RocksHotStore(
      Path directory, Handles handles, Commits commits, Watermark watermark, Verifier verifier) {
    this.directory = directory;
    this.handles = handles;
    this.commits = commits;
    this.watermark = watermark;
    this.verifier = verifier;
    this.chunks = new RocksChunks(handles);
    this.records = new RocksRecords(handles, commits);
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
    figures.put("memory_bytes", Math.max(cache, memtables) + readers);
    figures.put("memtable_bytes", memtables);
    figures.put("cache_bytes", cache);
  }

  private void addDisk(Map<String, Long> figures) throws StoreException {
    try {
      long log = verifier.diskBytes(".log");
      figures.put("disk_bytes", verifier.diskBytes(".sst", ".blob") + log);
      figures.put("log_bytes", log);
    } catch (IOException e) {
      throw Failures.of("measure store failed: directory=" + directory, e);
    }
  }

  private void addCounts(RocksDB database, Map<String, Long> figures) throws RocksDBException {
    figures.put("chunks", property(database, Family.LENGTH, "rocksdb.estimate-num-keys"));
    figures.put("blob_bytes", property(database, Family.CHUNK, "rocksdb.live-blob-file-size"));
    figures.put(
        "blob_garbage_bytes",
        property(database, Family.CHUNK, "rocksdb.live-blob-file-garbage-size"));
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

  /** The last commit is empty: its number tells the next open that all before it must be there. */
  @Override
  public void close() throws StoreException {
    handles.close(
        database -> {
          try (watermark) {
            if (!handles.readOnly()) {
              commits.sync(database);
            }
          } catch (IOException e) {
            throw Failures.of("close store failed: directory=" + directory, e);
          }
        });
  }
}
