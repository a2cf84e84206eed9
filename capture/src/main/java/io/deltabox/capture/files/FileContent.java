package io.deltabox.capture.files;

import io.deltabox.linux.Memory;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The contents of a regular file: its size and where its data is; what lies between the pieces is a
 * hole.
 *
 * <p>Compared by identity: versions of a snapshot share the object as long as the file has not
 * changed.
 */
final class FileContent {
  /** The bytes of {@code [from, to)}, at {@code offset} of a block. */
  record Piece(long from, long to, ContentStore.Block block, long offset) {}

  /** Stands for contents nobody has read: equal to nothing. */
  static final FileContent UNKNOWN = new FileContent(-1, List.of());

  private static final int COMPARED = 1 << 20;

  private final long size;
  private final List<Piece> pieces;

  FileContent(long size, List<Piece> pieces) {
    this.size = size;
    this.pieces = List.copyOf(pieces);
  }

  /** Compares sizes, holes and bytes. */
  boolean sameAs(FileContent other) {
    if (this == UNKNOWN || other == UNKNOWN) {
      return false;
    }
    if (size != other.size || pieces.size() != other.pieces.size()) {
      return false;
    }
    for (int i = 0; i < pieces.size(); i++) {
      if (!same(pieces.get(i), other.pieces.get(i))) {
        return false;
      }
    }
    return true;
  }

  private static boolean same(Piece a, Piece b) {
    if (a.from != b.from || a.to != b.to) {
      return false;
    }
    long length = a.to - a.from;
    for (long at = 0; at < length; at += COMPARED) {
      int part = (int) Math.min(COMPARED, length - at);
      ByteBuffer left = Memory.view(a.block.address() + a.offset + at, part);
      ByteBuffer right = Memory.view(b.block.address() + b.offset + at, part);
      if (left.mismatch(right) >= 0) {
        return false;
      }
    }
    return true;
  }

  long size() {
    return size;
  }

  List<Piece> pieces() {
    return pieces;
  }
}
