package io.deltabox.snapshot.read;

import io.deltabox.snapshot.format.ChunkType;
import io.deltabox.snapshot.table.Layer;
import io.deltabox.snapshot.table.StreamRef;
import io.deltabox.snapshot.table.TableFormat;
import io.deltabox.store.ChunkId;
import io.deltabox.store.ChunkStore;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreMissingException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Plain bytes of chunks, streams and tables, verified, with those used last kept. Thread-safe. */
public final class ChunkLoader {
  private final ChunkStore chunks;
  private final Codecs codecs;
  private final Recent<ChunkId, ByteBuffer> recent;
  private final Recent<StreamRef, Layer> layers;

  public ChunkLoader(ChunkStore chunks, Codecs codecs, long cacheBytesMax) {
    this.chunks = chunks;
    this.codecs = codecs;
    this.recent = new Recent<>(cacheBytesMax);
    this.layers = new Recent<>(cacheBytesMax);
  }

  /**
   * The plain bytes of a chunk.
   *
   * @return read-only, valid for ever
   * @throws StoreMissingException if it is not there
   * @throws StoreCorruptException if it, or what it is encoded against, is damaged
   */
  public ByteBuffer plain(ChunkType type, ChunkId id) throws StoreException {
    Optional<ByteBuffer> found = recent.get(id);
    if (found.isPresent()) {
      return found.get().duplicate();
    }
    try (Codecs.Use use = codecs.use()) {
      ByteBuffer plain = decode(use, type, id);
      recent.put(id, plain, plain.remaining());
      return plain.duplicate();
    }
  }

  /** Reads a chunk again, whatever is kept of it: for verification. */
  public int verify(ChunkType type, ChunkId id) throws StoreException {
    try (Codecs.Use use = codecs.use()) {
      return decode(use, type, id).remaining();
    }
  }

  private ByteBuffer decode(Codecs.Use use, ChunkType type, ChunkId id) throws StoreException {
    ByteBuffer[] plain = new ByteBuffer[1];
    Set<ChunkId> missing =
        chunks.read(
            List.of(id),
            (found, stored) -> {
              ByteBuffer decoded = use.codec().decode(type, id, stored, base -> plain(type, base));
              plain[0] = ByteBuffer.allocate(decoded.remaining()).put(decoded).flip();
            });
    if (!missing.isEmpty()) {
      throw new StoreMissingException("chunk is missing: chunk=" + id + " type=" + type);
    }
    return plain[0].asReadOnlyBuffer();
  }

  /** A stream that was cut into chunks, whole. */
  public ByteBuffer stream(ChunkType type, StreamRef stream, int bytesMax) throws StoreException {
    if (stream.bytes() > bytesMax) {
      throw new StoreCorruptException(
          "stream too long: type=" + type + " bytes=" + stream.bytes() + " limit=" + bytesMax);
    }
    if (stream.chunks().size() == 1) {
      ByteBuffer only = plain(type, stream.chunks().get(0));
      checkBytes(type, stream, only.remaining());
      return only;
    }
    ByteBuffer whole = ByteBuffer.allocate((int) stream.bytes());
    for (ChunkId id : stream.chunks()) {
      ByteBuffer part = plain(type, id);
      if (part.remaining() > whole.remaining()) {
        checkBytes(type, stream, whole.position() + part.remaining());
      }
      whole.put(part);
    }
    checkBytes(type, stream, whole.position());
    return whole.flip().asReadOnlyBuffer();
  }

  private static void checkBytes(ChunkType type, StreamRef stream, int found)
      throws StoreCorruptException {
    if (found != stream.bytes()) {
      throw new StoreCorruptException(
          "stream of another length: type="
              + type
              + " found="
              + found
              + " expected="
              + stream.bytes());
    }
  }

  public Layer layer(StreamRef table) throws StoreException {
    if (table.isEmpty()) {
      return Layer.EMPTY;
    }
    Optional<Layer> found = layers.get(table);
    if (found.isPresent()) {
      return found.get();
    }
    Layer layer = TableFormat.decode(stream(ChunkType.TABLE, table, TableFormat.BYTES_MAX));
    keep(table, layer);
    return layer;
  }

  /** Keeps what was just written, as it will be needed next. */
  public void keep(StreamRef table, Layer layer) {
    layers.put(table, layer, layer.memoryBytes());
  }

  /** Forgets what it keeps: chunks were removed. */
  public void forget() {
    recent.clear();
    layers.clear();
  }
}
