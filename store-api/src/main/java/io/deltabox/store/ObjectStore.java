package io.deltabox.store;

import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Optional;

/**
 * Objects that are created once and never changed. After a call has returned, all machines see what
 * it did: reads, listings and deletions included.
 */
public interface ObjectStore {
  /** The largest object. */
  int BYTES_MAX = 128 << 20;

  /** What became of a conditional creation. */
  enum Put {
    CREATED,
    /** An object of this name exists, perhaps made by this very call's first attempt. */
    EXISTS
  }

  /**
   * Creates an object if none of its name exists. It appears whole or not at all, and is durable
   * when it does.
   *
   * @param content up to {@link #BYTES_MAX} bytes; borrowed
   * @throws StoreUndecidedException if it is not known whether it was created; it may even appear
   *     later. Only its name decides: read it back
   */
  Put putIfAbsent(ObjectName name, ByteBuffer content) throws StoreException;

  /**
   * Reads part of an object into a buffer until the buffer is full or the object ends.
   *
   * @param offset in bytes; at or behind the end nothing is read
   * @return the bytes read
   * @throws StoreMissingException if no such object exists
   */
  int read(ObjectName name, long offset, ByteBuffer into) throws StoreException;

  Optional<ObjectInfo> head(ObjectName name) throws StoreException;

  /**
   * The objects whose names start with a text, in ascending order: all that existed during the
   * whole walk, or the cursor fails. Objects created or deleted meanwhile may or may not be seen.
   */
  Cursor list(String prefix) throws StoreException;

  /** Removes objects. Idempotent. When this fails, any part of them may be gone. */
  void delete(Collection<ObjectName> names) throws StoreException;

  /** Walks over a listing; used by one thread at a time. */
  interface Cursor extends AutoCloseable {
    /** Moves on; false at the end. */
    boolean next() throws StoreException;

    /** Where the cursor stands; only after {@link #next} has answered true. */
    ObjectInfo info();

    @Override
    void close();
  }
}
