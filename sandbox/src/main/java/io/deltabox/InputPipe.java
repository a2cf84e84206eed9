package io.deltabox;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The input of one command: writes go straight to the pipe or terminal and wait while it is full.
 * One writer at a time. Owns its descriptor.
 */
final class InputPipe extends OutputStream {
  private static final int CHUNK_BYTES = 64 << 10;
  private static final int WRITABLE = 4;
  private static final int BROKEN = 8 | 16;
  private static final int EPIPE = 32;
  private static final int EIO = 5;

  /** How often a writer that waits looks whether the command has gone. */
  private static final int WAIT_MILLIS = 200;

  private static final byte END_OF_FILE_CHARACTER = 4;

  private final SandboxFunctions.Calls calls = SandboxFunctions.get();
  private final Descriptor target;
  private final boolean terminal;
  private final ReentrantLock writing = new ReentrantLock();
  private volatile boolean closed;

  InputPipe(Descriptor target, boolean terminal) {
    this.target = target;
    this.terminal = terminal;
  }

  Descriptor target() {
    return target;
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] from, int offset, int length) throws IOException {
    java.util.Objects.checkFromIndexSize(offset, length, from.length);
    if (length == 0) {
      return;
    }
    writing.lock();
    try (Memory memory = Memory.allocate(Math.min(length, CHUNK_BYTES), Memory.Touch.LATER)) {
      for (int done = 0; done < length; ) {
        int chunk = Math.min(length - done, CHUNK_BYTES);
        memory.slice(0, chunk).put(from, offset + done, chunk);
        writeChunk(memory.address(), chunk);
        done += chunk;
      }
    } finally {
      writing.unlock();
      closeIfAbandoned();
    }
  }

  private void writeChunk(long address, int length) throws IOException {
    for (int done = 0; done < length; ) {
      if (closed || !target.open()) {
        throw new IOException("input of the command is closed");
      }
      long count = calls.dbx_sandbox_write(target.fd(), address + done, length - done);
      if (count > 0) {
        done += (int) count;
      } else if (count == -Errno.EAGAIN) {
        awaitRoom();
      } else if (count == -EPIPE || count == -EIO) {
        throw new IOException("the command does not read its input any more");
      } else {
        Errno.check(count, "write input of the command");
      }
    }
  }

  private void awaitRoom() throws IOException {
    int events = calls.dbx_sandbox_poll(target.fd(), WRITABLE, WAIT_MILLIS);
    if (events > 0 && (events & WRITABLE) == 0 && (events & BROKEN) != 0) {
      throw new IOException("the command does not read its input any more");
    }
    if (Thread.interrupted()) {
      Thread.currentThread().interrupt();
      throw new java.io.InterruptedIOException("interrupted while writing input of a command");
    }
  }

  /** The end of the input. */
  @Override
  public void close() throws IOException {
    writing.lock();
    try {
      if (terminal && !closed) {
        endLine();
      }
    } finally {
      closed = true;
      writing.unlock();
      closeIfAbandoned();
    }
  }

  private void endLine() {
    try {
      write(END_OF_FILE_CHARACTER);
    } catch (IOException gone) {
      System.getLogger(InputPipe.class.getName())
          .log(System.Logger.Level.DEBUG, "terminal has no reader: {0}", gone.getMessage());
    }
  }

  /** The command has gone for good. Does not wait for a writer: that one closes then. */
  void abandon() {
    closed = true;
    closeIfAbandoned();
  }

  private void closeIfAbandoned() {
    // A number must not be closed, and given away again, while a writer uses it.
    if (closed && writing.tryLock()) {
      try {
        if (writing.getHoldCount() == 1) {
          target.close();
        }
      } finally {
        writing.unlock();
      }
    }
  }
}
