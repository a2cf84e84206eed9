package io.deltabox.snapshot.read;

import io.deltabox.snapshot.format.ChunkType;
import io.deltabox.snapshot.table.FilePiece;
import io.deltabox.snapshot.table.StoredFile;
import io.deltabox.store.StoreCorruptException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ReadableByteChannel;
import java.util.Iterator;

/** The content of a file, piece by piece. For one thread. */
final class FileContent implements ReadableByteChannel {
  private final StoredReader reader;
  private final StoredFile file;
  private final Iterator<FilePiece> pieces;
  private ByteBuffer piece = ByteBuffer.allocate(0);
  private boolean open = true;

  FileContent(StoredReader reader, StoredFile file) {
    this.reader = reader;
    this.file = file;
    this.pieces = file.pieces().iterator();
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    if (!open) {
      throw new ClosedChannelException();
    }
    if (!piece.hasRemaining()) {
      if (!pieces.hasNext()) {
        return -1;
      }
      FilePiece next = pieces.next();
      piece = reader.plain(ChunkType.FILE, next.chunk());
      if (piece.remaining() != next.bytes()) {
        throw new StoreCorruptException(
            "snapshot is damaged: piece of another length: chunk="
                + next.chunk()
                + " file="
                + file.entry().key()
                + " snapshot="
                + reader.info().id());
      }
    }
    int count = Math.min(into.remaining(), piece.remaining());
    into.put(piece.slice(piece.position(), count));
    piece.position(piece.position() + count);
    return count;
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
