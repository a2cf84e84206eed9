package io.deltabox.store.rocksdb;

import io.deltabox.store.ChunkId;
import io.deltabox.store.ChunkStore;
import io.deltabox.store.RecordStore;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The head of one entry of the log; its body follows.
 *
 * <pre>
 * entry = magic:u32 kind:u32 bytes:u32 crc32c(body):u32 place:u64 durable:u64 id:32 bytes
 *         argument:u64 crc32c(head before this):u32 zero:u32 body:bytes          little-endian
 * </pre>
 *
 * <p>A head tells its own place, so bytes that were left by something else are never taken for an
 * entry. It also tells how much of the log was durable when it was written: an entry found behind
 * one that is broken proves, if that one was durable, that it is damaged and not torn.
 *
 * @param bytes length of the body
 * @param bodyCrc of the body
 * @param place where the head begins
 * @param durable up to where the log was durable at that time
 * @param id of the chunk, or zero
 * @param argument see {@link Kind}
 */
record Entry(
    Kind kind, int bytes, int bodyCrc, Place place, Place durable, ChunkId id, long argument) {
  static final int HEAD_BYTES = 80;
  static final int MAGIC = 0x4e45_4244;
  static final ChunkId NO_ID = new ChunkId(0, 0, 0, 0);

  private static final int CRC_AT = 72;

  /** What an entry says. Numbers are stored and never change. */
  enum Kind {
    /** A chunk was written: the body is its stored form. */
    CHUNK(1, ChunkStore.BYTES_MAX),
    /**
     * The same, copied from the place of the argument; counts only if the chunk still lay there.
     */
    MOVED(2, ChunkStore.BYTES_MAX),
    /** Chunks were deleted: the body is their ids. */
    DELETE(3, 1 << 20),
    /** A commit, whose number is the argument; {@link CommitForm} is the body. */
    COMMIT(4, 2 * RecordStore.BATCH_BYTES_MAX);

    private final int number;
    private final int bytesMax;

    Kind(int number, int bytesMax) {
      this.number = number;
      this.bytesMax = bytesMax;
    }

    static Optional<Kind> of(int number) {
      return Arrays.stream(values()).filter(kind -> kind.number == number).findFirst();
    }
  }

  /** Writes the head at the buffer's position. */
  void write(ByteBuffer to) {
    ByteBuffer head = to.slice(to.position(), HEAD_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    head.putInt(MAGIC).putInt(kind.number).putInt(bytes).putInt(bodyCrc);
    head.putLong(place.number()).putLong(durable.number());
    id.write(head);
    head.putLong(argument).putInt(crc(head.slice(0, CRC_AT))).putInt(0);
    to.position(to.position() + HEAD_BYTES);
  }

  /** Reads the head at the buffer's position, which stays; null if none is there. */
  static @Nullable Entry read(ByteBuffer from) {
    if (from.remaining() < HEAD_BYTES) {
      return null;
    }
    ByteBuffer head = from.slice(from.position(), HEAD_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    if (head.getInt(0) != MAGIC || head.getInt(CRC_AT) != crc(head.slice(0, CRC_AT))) {
      return null;
    }
    Optional<Kind> kind = Kind.of(head.getInt(4));
    int bytes = head.getInt(8);
    if (kind.isEmpty() || bytes < 0 || bytes > kind.get().bytesMax) {
      return null;
    }
    return new Entry(
        kind.get(),
        bytes,
        head.getInt(12),
        Place.of(head.getLong(16)),
        Place.of(head.getLong(24)),
        ChunkId.read(head.position(32)),
        head.getLong(64));
  }

  static int crc(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.duplicate());
    return (int) crc.getValue();
  }

  /** Where the next one begins. */
  Place end() {
    return place.plus(HEAD_BYTES + (long) bytes);
  }

  /** True if it holds a chunk's stored form. */
  boolean holdsChunk() {
    return kind == Kind.CHUNK || kind == Kind.MOVED;
  }

  Location location() {
    return new Location(place, bytes);
  }
}
