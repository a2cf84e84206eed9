package io.deltabox.snapshot;

import io.deltabox.store.Bytes;
import io.deltabox.store.Durability;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes one snapshot. Pages and files are deltas: what is not mentioned is as in the parent;
 * records are complete. What is mentioned twice is as it was said last. Nothing of it can be seen
 * until {@link #commit}, and nothing remains visible of it without.
 *
 * <p>Calls come from one thread at a time; encoding goes on on others. Calls wait while more than
 * {@link SnapshotOptions#unsavedBytesMax} of all writers are not written yet. Buffers and channels
 * are borrowed for the call, positions and limits unchanged. A failure of the work on other threads
 * is thrown by a later call, at the latest by {@link #commit}; then only {@link #close} is left.
 */
public interface SnapshotWriter extends AutoCloseable {
  /** Most pages in one call: 16 MiB of bytes. */
  int PAGES_MAX = 4096;

  /** The longest name of a map, in UTF-16 units. */
  int MAP_NAME_MAX = 1024;

  /** The longest record, in bytes. */
  int RECORD_BYTES_MAX = 64 << 20;

  /**
   * Pages that are new or changed.
   *
   * @param map names what the pages belong to
   * @param ranges ascending; at most {@link #PAGES_MAX} pages
   * @param bytes of all ranges in order
   * @param before what the parent has at the same pages, if that is at hand: spares reading when
   *     pages are stored as differences. Pages that are not what the parent has are noticed and not
   *     used
   */
  void pages(String map, List<PageRange> ranges, ByteBuffer bytes, @Nullable ByteBuffer before)
      throws StoreException;

  /** Pages that have no content any more; those without content are passed over. */
  void dropPages(String map, List<PageRange> ranges) throws StoreException;

  /**
   * All maps but these are gone, whatever else is said of them, before or after. Not called: all
   * are kept. Called again: the last call counts.
   */
  void keepMaps(Set<String> maps) throws StoreException;

  /**
   * A file that is new or changed in anything.
   *
   * @param content bytes of the extents in order; null: that of the parent's file of this key,
   *     which must have as many bytes, or none if there are no extents
   * @throws IllegalArgumentException if there are fewer or more bytes, or the parent has them not
   * @throws IOException whatever the channel throws
   */
  void file(FileEntry file, @Nullable ReadableByteChannel content) throws IOException;

  /** A file that is gone; one that is not there is passed over. */
  void dropFile(Bytes key) throws StoreException;

  /**
   * A record; there may be many of one kind.
   *
   * @param kind not negative
   */
  void record(int kind, ByteBuffer bytes) throws StoreException;

  /**
   * Makes the snapshot visible, together with changes of other records, in one atomic step: all of
   * it or nothing. At {@link Durability#SYNC} it is durable when this returns, with everything it
   * refers to; at {@link Durability#BUFFERED} it may be lost with the process, and a later commit
   * of anything at SYNC makes it durable.
   *
   * @param also changes and conditions beside it: a name, a journal record
   * @return {@link Receipt#committed} false if a condition does not hold: nothing was changed, and
   *     this may be called again
   * @throws io.deltabox.store.StoreFullException there was no room; the snapshot is not in the
   *     store
   * @throws StoreException any other: whether the snapshot is in the store is to be looked up
   */
  Receipt commit(Durability durability, RecordBatch also) throws StoreException;

  /** {@link #commit(Durability, RecordBatch)} with nothing beside it. */
  default Receipt commit(Durability durability) throws StoreException {
    return commit(durability, new RecordBatch());
  }

  /**
   * Forgets what was not committed; idempotent. Waits for the work on other threads. Chunks that
   * were written stay until a sweep.
   */
  @Override
  void close();
}
