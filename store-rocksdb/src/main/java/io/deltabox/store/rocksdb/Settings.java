package io.deltabox.store.rocksdb;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Properties;
import org.rocksdb.AbstractNativeReference;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.ChecksumType;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.WriteBufferManager;

/**
 * How the database is set up. Owns what it makes; closes it last made first, which is the order
 * RocksDB needs: options before the filter and the cache that they refer to.
 *
 * <p>The database keeps no log: all families are written out together, so that what it holds on the
 * disk is as it was at one place of ours, and only when that much of ours is durable.
 *
 * <p>Memory: one cache of the size that was asked for holds blocks, indexes and filters of all
 * families, and the memtables' memory is charged to it as well, at most half of it before they are
 * written out. What is beyond it is small: readers of open files, and iterators.
 */
final class Settings implements AutoCloseable {
  private static final long MIB = 1 << 20;
  private static final double BLOOM_BITS = 10;
  private static final int FORMAT_VERSION = 6;
  private static final long BLOCK_BYTES = 16 << 10;

  /** Memtables grow by that; there are as many as families. */
  private static final long ARENA_BYTES = 64 << 10;

  private final Deque<AbstractNativeReference> owned = new ArrayDeque<>();
  private final Cache cache;
  private final DBOptions database;
  private final List<ColumnFamilyDescriptor> families = new ArrayList<>();

  Settings(long memoryBytes, boolean create, FlushGuard guard) {
    cache = own(new LRUCache(memoryBytes));
    WriteBufferManager buffers = own(new WriteBufferManager(memoryBytes / 2, cache));
    BloomFilter filter = own(new BloomFilter(BLOOM_BITS));
    database = own(database(buffers, create).setListeners(own(guard).asList()));
    for (Family family : Family.values()) {
      families.add(new ColumnFamilyDescriptor(family.bytes(), own(family(memoryBytes, filter))));
    }
  }

  DBOptions database() {
    return database;
  }

  /** In the order of {@link Family}. */
  List<ColumnFamilyDescriptor> families() {
    return families;
  }

  Cache cache() {
    return cache;
  }

  @Override
  public void close() {
    while (!owned.isEmpty()) {
      owned.pop().close();
    }
  }

  private <T extends AbstractNativeReference> T own(T made) {
    owned.push(made);
    return made;
  }

  private static DBOptions database(WriteBufferManager buffers, boolean create) {
    DBOptions options = new DBOptions();
    return options
        .setCreateIfMissing(create)
        .setCreateMissingColumnFamilies(create)
        .setParanoidChecks(true)
        .setAtomicFlush(true)
        .setAvoidFlushDuringShutdown(true)
        .setBytesPerSync(MIB)
        .setWriteBufferManager(buffers)
        .setMaxOpenFiles(-1)
        .setMaxBackgroundJobs(Math.max(2, Math.min(8, Runtime.getRuntime().availableProcessors())))
        .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
        .setMaxLogFileSize(4 * MIB)
        .setKeepLogFileNum(4)
        .setStatsDumpPeriodSec(0)
        .setStatsPersistPeriodSec(0);
  }

  private ColumnFamilyOptions family(long memoryBytes, BloomFilter filter) {
    Properties only = new Properties();
    // Has no setter. Finds a flipped bit of a memtable before it is written out.
    only.setProperty("memtable_protection_bytes_per_key", "8");
    ColumnFamilyOptions options = ColumnFamilyOptions.getColumnFamilyOptionsFromProps(only);
    if (options == null) {
      throw new IllegalStateException("the database does not know its options: " + only);
    }
    BlockBasedTableConfig tables =
        new BlockBasedTableConfig()
            .setBlockCache(cache)
            .setBlockSize(BLOCK_BYTES)
            .setFilterPolicy(filter)
            .setFormatVersion(FORMAT_VERSION)
            .setChecksumType(ChecksumType.kXXH3)
            .setCacheIndexAndFilterBlocks(true)
            .setPinL0FilterAndIndexBlocksInCache(true);
    options.setTableFormatConfig(tables).setLevelCompactionDynamicLevelBytes(true);
    return options
        .setCompressionType(CompressionType.LZ4_COMPRESSION)
        .setWriteBufferSize(Math.min(16 * MIB, memoryBytes / 8))
        .setArenaBlockSize(ARENA_BYTES)
        .setMaxWriteBufferNumber(4);
  }
}
