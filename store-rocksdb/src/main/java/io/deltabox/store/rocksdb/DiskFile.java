package io.deltabox.store.rocksdb;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/**
 * A file that stays open when a thread is interrupted. An interrupt closes the channel that the
 * thread is using, for all others as well; so it is opened again and what was tried is done again.
 * The interrupt is kept for the caller. All is done at positions, so doing it twice is harmless.
 */
final class DiskFile implements AutoCloseable {
  /** The runtime copies what does not lie outside of its heap, and keeps such a copy per thread. */
  private static final int PIECE_BYTES = 1 << 20;

  private final Path path;
  private final boolean writable;
  private FileChannel channel;
  private boolean closed;

  private DiskFile(Path path, boolean writable, FileChannel channel) {
    this.path = path;
    this.writable = writable;
    this.channel = channel;
  }

  /** Opens what is there. */
  static DiskFile open(Path path, boolean writable) throws IOException {
    return new DiskFile(path, writable, channel(path, writable));
  }

  /** Opens it, made if it is not there. */
  static DiskFile make(Path path) throws IOException {
    FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE).close();
    return open(path, true);
  }

  private static FileChannel channel(Path path, boolean writable) throws IOException {
    return FileChannel.open(
        path,
        writable
            ? Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE)
            : Set.of(StandardOpenOption.READ));
  }

  /** One call on the channel. */
  private interface Step<T> {
    T run(FileChannel channel) throws IOException;
  }

  private <T> T run(Step<T> step) throws IOException {
    boolean interrupted = false;
    try {
      for (; ; ) {
        try {
          return step.run(current());
        } catch (ClosedByInterruptException e) {
          interrupted = true;
          Thread.interrupted();
        } catch (ClosedChannelException e) {
          requireOpen(e);
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private synchronized FileChannel current() throws IOException {
    if (!closed && !channel.isOpen()) {
      channel = channel(path, writable);
    }
    return channel;
  }

  private synchronized void requireOpen(ClosedChannelException e) throws IOException {
    if (closed) {
      throw e;
    }
  }

  /** Writes what remains in the buffer, whose position stays. */
  void write(ByteBuffer bytes, long at) throws IOException {
    for (int done = 0; done < bytes.remaining(); ) {
      int length = Math.min(PIECE_BYTES, bytes.remaining() - done);
      ByteBuffer piece = bytes.slice(bytes.position() + done, length);
      long position = at + done;
      done += run(open -> open.write(piece.duplicate(), position));
    }
  }

  /** Fills the buffer as far as the file goes, and moves its position. */
  void read(ByteBuffer into, long at) throws IOException {
    long first = at - into.position();
    while (into.hasRemaining()) {
      int length = Math.min(PIECE_BYTES, into.remaining());
      ByteBuffer piece = into.slice(into.position(), length);
      long position = first + into.position();
      int got = run(open -> open.read(piece.clear(), position));
      if (got <= 0) {
        return;
      }
      into.position(into.position() + got);
    }
  }

  long size() throws IOException {
    return run(FileChannel::size);
  }

  void cut(long size) throws IOException {
    run(open -> open.truncate(size));
  }

  /** Makes content and length durable. */
  void force() throws IOException {
    run(
        open -> {
          open.force(false);
          return true;
        });
  }

  @Override
  public synchronized void close() throws IOException {
    closed = true;
    channel.close();
  }
}
