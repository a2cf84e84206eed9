package io.deltabox;

import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The last bytes of one output stream, and its readers.
 *
 * <p>One thread appends, at most {@link #space} bytes; any number read. When lossless, the first
 * reader gets every byte: nothing is dropped before it came and none that the slowest reader has
 * not seen. Otherwise, and after all readers have been closed, the oldest bytes make room and a
 * reader that is too slow skips them. Guarded by itself; no call out while the lock is held except
 * {@code roomMade}, which must not block.
 */
final class OutputTail {
  private static final int FIRST_BYTES = 4096;

  private final int bytesMax;
  private final boolean lossless;
  private final Runnable roomMade;
  private final List<Reader> readers = new ArrayList<>();
  private byte[] ring = new byte[FIRST_BYTES];
  private long start;
  private long end;
  private long limit;
  private boolean ended;
  private boolean everRead;

  /**
   * @param roomMade called when a reader made room or went away
   */
  OutputTail(int bytesMax, boolean lossless, Runnable roomMade) {
    this.bytesMax = bytesMax;
    this.lossless = lossless;
    this.roomMade = roomMade;
  }

  /** How many bytes may be appended now. */
  synchronized int space() {
    if (!lossless || (everRead && readers.isEmpty()) || ended) {
      return bytesMax;
    }
    long oldest = everRead ? end : start;
    for (Reader reader : readers) {
      oldest = Math.min(oldest, reader.position);
    }
    return (int) (bytesMax - (end - oldest));
  }

  synchronized void append(ByteBuffer bytes) {
    int count = bytes.remaining();
    grow(end - start + count);
    while (bytes.hasRemaining()) {
      int at = (int) (end % ring.length);
      int run = Math.min(bytes.remaining(), ring.length - at);
      bytes.get(ring, at, run);
      end += run;
    }
    start = Math.max(start, end - ring.length);
    notifyAll();
  }

  private void grow(long wanted) {
    if (wanted <= ring.length || ring.length == bytesMax) {
      return;
    }
    int size = ring.length;
    while (size < wanted && size < bytesMax) {
      size *= 2;
    }
    byte[] bigger = new byte[Math.min(size, bytesMax)];
    for (long at = start; at < end; at++) {
      bigger[(int) (at % bigger.length)] = ring[(int) (at % ring.length)];
    }
    ring = bigger;
  }

  /** The command has ended: readers end where the output is now. */
  synchronized void end() {
    ended = true;
    limit = end;
    notifyAll();
  }

  /** The command runs again. */
  synchronized void reopen() {
    ended = false;
  }

  synchronized boolean ended() {
    return ended;
  }

  /** Forgets the bytes, for a command that ended long ago. */
  synchronized void drop() {
    start = end;
    ring = new byte[1];
  }

  synchronized int keptBytes() {
    return (int) (end - start);
  }

  synchronized boolean truncated() {
    return start > 0;
  }

  /** A copy of what is kept. */
  synchronized byte[] snapshot() {
    byte[] copy = new byte[(int) (end - start)];
    copyOut(start, copy, 0, copy.length);
    return copy;
  }

  private void copyOut(long from, byte[] into, int offset, int length) {
    int at = (int) (from % ring.length);
    int run = Math.min(length, ring.length - at);
    System.arraycopy(ring, at, into, offset, run);
    System.arraycopy(ring, 0, into, offset + run, length - run);
  }

  /** A reader from the oldest byte kept. */
  synchronized InputStream open() {
    Reader reader = new Reader(start, ended ? end : Long.MAX_VALUE);
    readers.add(reader);
    everRead = true;
    return reader;
  }

  private final class Reader extends InputStream {
    private long position;
    private final long stopAt;
    private boolean closed;

    Reader(long position, long stopAt) {
      this.position = position;
      this.stopAt = stopAt;
    }

    private long stop() {
      return stopAt != Long.MAX_VALUE ? stopAt : ended ? limit : Long.MAX_VALUE;
    }

    @Override
    public int read() throws InterruptedIOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws InterruptedIOException {
      java.util.Objects.checkFromIndexSize(offset, length, into.length);
      if (length == 0) {
        return 0;
      }
      int count;
      synchronized (OutputTail.this) {
        count = take(into, offset, length);
      }
      if (count > 0) {
        roomMade.run();
      }
      return count;
    }

    private int take(byte[] into, int offset, int length) throws InterruptedIOException {
      while (!closed) {
        position = Math.max(position, start);
        long available = Math.min(end, stop()) - position;
        if (available > 0) {
          int count = (int) Math.min(length, available);
          copyOut(position, into, offset, count);
          position += count;
          return count;
        }
        if (position >= stop()) {
          return -1;
        }
        await();
      }
      return -1;
    }

    private void await() throws InterruptedIOException {
      try {
        OutputTail.this.wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted while reading output of a command");
      }
    }

    @Override
    public int available() {
      synchronized (OutputTail.this) {
        long from = Math.max(position, start);
        return (int) Math.max(0, Math.min(end, stop()) - from);
      }
    }

    @Override
    public void close() {
      synchronized (OutputTail.this) {
        closed = true;
        readers.remove(this);
        OutputTail.this.notifyAll();
      }
      roomMade.run();
    }
  }
}
