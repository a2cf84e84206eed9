package io.deltabox.snapshot.write;

import io.deltabox.snapshot.format.ChunkType;
import io.deltabox.store.ChunkId;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A chunk on its way into the store. Filled by a writer, then used by one encoder. */
final class Piece {
  final ChunkType type;
  private final int bytes;
  private @Nullable ByteBuffer plain;

  private List<Predecessors.@Nullable Base> bases;

  private @Nullable ChunkId id;
  private boolean deduplicated;
  private int storedBytes;

  /**
   * @param plain taken over; what remains is the chunk
   */
  Piece(ChunkType type, ByteBuffer plain, List<Predecessors.@Nullable Base> bases) {
    this.type = type;
    this.bytes = plain.remaining();
    this.plain = plain;
    this.bases = bases;
  }

  /** Its content, until {@link #release}. */
  ByteBuffer plain() {
    ByteBuffer content = plain;
    if (content == null) {
      throw new IllegalStateException("written already: type=" + type);
    }
    return content;
  }

  /** Of each page, what it may be encoded against; until {@link #release}. */
  List<Predecessors.@Nullable Base> bases() {
    return bases;
  }

  /** Lets go of its content: a writer keeps pieces to its end, and must not keep that. */
  void release() {
    plain = null;
    bases = List.of();
  }

  void named(ChunkId name) {
    id = name;
  }

  void found() {
    deduplicated = true;
  }

  void stored(int bytes) {
    storedBytes = bytes;
  }

  /** Its name, once an encoder is done. */
  ChunkId id() {
    ChunkId name = id;
    if (name == null) {
      throw new IllegalStateException("not encoded yet: type=" + type);
    }
    return name;
  }

  boolean deduplicated() {
    return deduplicated;
  }

  int storedBytes() {
    return storedBytes;
  }

  int bytes() {
    return bytes;
  }
}
