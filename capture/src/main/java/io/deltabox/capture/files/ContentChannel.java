package io.deltabox.capture.files;

import io.deltabox.linux.Memory;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** The bytes of a captured file, piece after piece, without its holes. */
final class ContentChannel implements ReadableByteChannel {
  private final Iterator<FileContent.Piece> pieces;
  private FileContent.@Nullable Piece piece;
  private long done;
  private boolean open = true;

  ContentChannel(FileContent content) {
    pieces = content.pieces().iterator();
    piece = pieces.hasNext() ? pieces.next() : null;
  }

  @Override
  public int read(ByteBuffer to) {
    int before = to.remaining();
    while (to.hasRemaining() && piece != null) {
      long left = piece.to() - piece.from() - done;
      int part = (int) Math.min(left, to.remaining());
      to.put(Memory.view(piece.block().address() + piece.offset() + done, part));
      done += part;
      if (part == left) {
        piece = pieces.hasNext() ? pieces.next() : null;
        done = 0;
      }
    }
    return before == to.remaining() && before > 0 ? -1 : before - to.remaining();
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public void close() {
    open = false;
  }
}
