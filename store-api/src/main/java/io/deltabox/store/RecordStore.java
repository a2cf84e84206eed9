package io.deltabox.store;

import java.util.Collection;
import java.util.Map;
import java.util.Optional;

/**
 * Small values under ordered keys in named {@linkplain Space spaces}, changed by atomic commits.
 */
public interface RecordStore {
  /** The longest key. */
  int KEY_BYTES_MAX = 1024;

  /** The longest value. */
  int VALUE_BYTES_MAX = 64 << 20;

  /** The most bytes of keys and values of one batch. */
  int BATCH_BYTES_MAX = 128 << 20;

  /** The value under a key, as of the last commit. */
  Optional<Bytes> get(Space space, Bytes key) throws StoreException;

  /** The values under some keys; keys without one are not in the answer. One view for all. */
  Map<Bytes, Bytes> getAll(Space space, Collection<Bytes> keys) throws StoreException;

  /**
   * The records of a range in ascending order of keys, as they are now: commits made while the
   * cursor is open are not seen.
   */
  Cursor scan(Space space, RecordRange range) throws StoreException;

  /**
   * Applies a batch: all of it, or nothing. Conditions are judged and changes made in one step; no
   * other commit comes between.
   *
   * @return {@link CommitResult.Conflict} if a condition does not hold; nothing is changed then,
   *     and earlier writes need not be durable
   * @throws StoreFullException if there is no room; nothing is changed
   * @throws StoreException any other: whether the batch is applied is not known until the store is
   *     opened again
   */
  CommitResult commit(RecordBatch batch, Durability durability) throws StoreException;

  /** Walks over records; used by one thread at a time. */
  interface Cursor extends AutoCloseable {
    /** Moves on; false at the end. */
    boolean next() throws StoreException;

    /** The key where the cursor stands; only after {@link #next} has answered true. */
    Bytes key();

    /** The value there. */
    Bytes value();

    @Override
    void close();
  }
}
