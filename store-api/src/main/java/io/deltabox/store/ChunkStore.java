package io.deltabox.store;

import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Set;

/**
 * Chunks by their ids. Chunks are never changed: an id names the same plain bytes for ever, so
 * writing one again is harmless.
 */
public interface ChunkStore {
  /** The longest stored form of one chunk. */
  int BYTES_MAX = 512 << 10;

  /** The most bytes of one {@link #write}. */
  int WRITE_BYTES_MAX = 64 << 20;

  /**
   * Writes chunks. Each is written whole or not at all; of several, any part may be written when
   * this fails. All threads read them when this returns. They become durable with the next {@link
   * RecordStore#commit} at {@link Durability#SYNC}, not before.
   *
   * <p>Idempotent: of a chunk that is there already, either stored form is kept.
   *
   * @param chunks at most {@link #WRITE_BYTES_MAX} bytes together
   * @throws StoreFullException if there is no room
   */
  void write(Collection<Chunk> chunks) throws StoreException;

  /**
   * Reads chunks, each found one handed to the receiver once, in any order, on this thread.
   *
   * @return the ids that are not there
   * @throws StoreCorruptException if a stored form is not what was written; the message names it.
   *     Others may have been handed over before, and can be read without it
   */
  Set<ChunkId> read(Collection<ChunkId> ids, Receiver receiver) throws StoreException;

  /** Those of some ids whose chunks are there. Reads no content. */
  Set<ChunkId> has(Collection<ChunkId> ids) throws StoreException;

  /**
   * Removes chunks. Idempotent; ids that are not there are passed over. Durable like a write. Room
   * is given back in time, not at once.
   */
  void delete(Collection<ChunkId> ids) throws StoreException;

  /**
   * All ids from one on, in ascending order. Chunks written or deleted since the cursor was opened
   * may or may not be among them; all others are, or the cursor fails.
   */
  Cursor ids(ChunkId from) throws StoreException;

  /** Takes what {@link #read} finds. */
  @FunctionalInterface
  interface Receiver {
    /**
     * @param bytes the stored form, read-only; valid until this returns
     */
    void receive(ChunkId id, ByteBuffer bytes) throws StoreException;
  }

  /** Walks over ids; used by one thread at a time. */
  interface Cursor extends AutoCloseable {
    /** Moves on; false at the end. */
    boolean next() throws StoreException;

    /** Where the cursor stands; only after {@link #next} has answered true. */
    ChunkId id();

    /** Length of the stored form there, in bytes. */
    int bytes() throws StoreException;

    @Override
    void close();
  }
}
