package io.deltabox.snapshot.write;

import io.deltabox.snapshot.format.ChunkType;
import io.deltabox.snapshot.format.FastCdc;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Cuts a stream that is whole in memory where its content says so. */
final class StreamCutter {
  private StreamCutter() {}

  /**
   * @param stream not copied
   */
  static List<Piece> cut(ChunkType type, byte[] stream) {
    List<Piece> pieces = new ArrayList<>();
    ByteBuffer rest = ByteBuffer.wrap(stream);
    while (rest.hasRemaining()) {
      int length = FastCdc.cut(rest);
      pieces.add(new Piece(type, rest.slice(rest.position(), length), List.of()));
      rest.position(rest.position() + length);
    }
    return pieces;
  }
}
