package io.deltabox.store;

import java.util.Map;
import java.util.Set;

/**
 * A store of one process. Its two halves belong together: a commit of records makes the chunks
 * written before it durable. What is found after a crash is what was there at some moment not
 * before the last {@link Durability#SYNC} commit: a record that is there is never there without the
 * chunks written before its commit.
 */
public interface HotStore extends AutoCloseable {
  ChunkStore chunks();

  RecordStore records();

  Set<Capability> capabilities();

  /**
   * Figures of this store for people and metrics, by name: {@code memory_bytes} and {@code
   * disk_bytes} always, others as it likes. Cheap; approximate.
   */
  Map<String, Long> figures() throws StoreException;

  /**
   * Looks for damage in everything that is stored, below what {@link ChunkStore} and {@link
   * RecordStore} show: checksums of files that no key leads to, for instance.
   *
   * @throws StoreCorruptException naming what is damaged
   */
  void verify() throws StoreException;

  /** Makes everything durable and lets go of the store. */
  @Override
  void close() throws StoreException;
}
