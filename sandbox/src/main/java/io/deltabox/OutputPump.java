package io.deltabox;

import io.deltabox.linux.Errno;
import java.io.IOException;

/**
 * Moves what comes out of one pipe or terminal into its tail, as fast as the tail takes it. All
 * methods but the constructor, {@link #tail} and {@link #roomMade} are for the loop's thread.
 */
final class OutputPump {
  /** No pipe holds more by default, so what a command wrote before its end fits. */
  private static final int DRAIN_BYTES_MAX = 1 << 20;

  private final SandboxFunctions.Calls calls = SandboxFunctions.get();
  private final IoLoop loop;
  private final Descriptor source;
  private final OutputTail tail;
  private final long key;
  private final Runnable atEndOfFile;
  private boolean watched;
  private boolean endOfFile;
  private boolean endWhenDrained;

  /**
   * @param atEndOfFile called on the loop's thread when nobody holds the other end any more
   */
  OutputPump(IoLoop loop, Descriptor source, boolean lossless, Runnable atEndOfFile) {
    this.loop = loop;
    this.atEndOfFile = atEndOfFile;
    this.source = source;
    this.tail = new OutputTail(Exec.OUTPUT_KEPT_MAX, lossless, this::roomMade);
    this.key = loop.register(this::ready);
  }

  OutputTail tail() {
    return tail;
  }

  Descriptor source() {
    return source;
  }

  /** Begins, or begins again after a rollback made new writers for the other end. */
  void resume() {
    endOfFile = false;
    watch();
  }

  private void roomMade() {
    loop.execute(this::watch);
  }

  private void watch() {
    if (watched || endOfFile || !source.open()) {
      return;
    }
    try {
      loop.watch(source, key);
      watched = true;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private void unwatch() {
    if (watched && source.open()) {
      loop.unwatch(source);
    }
    watched = false;
  }

  private void ready() {
    if (!source.open()) {
      return;
    }
    if (readOnce() <= 0) {
      unwatchWhenDone();
    }
    if (endWhenDrained) {
      drain();
    }
  }

  /** Bytes read; 0 when nothing is there or no room is; -1 at the end of the file. */
  private long readOnce() {
    int room = Math.min(IoLoop.READ_BYTES, tail.space());
    if (room <= 0) {
      unwatch();
      return 0;
    }
    long count = calls.dbx_sandbox_read(source.fd(), loop.buffer().address(), room);
    if (count > 0) {
      tail.append(loop.buffer().slice(0, (int) count));
      return count;
    }
    if (count == -Errno.EAGAIN) {
      return 0;
    }
    // A terminal says EIO when its last user has gone.
    endOfFile = true;
    return -1;
  }

  private void unwatchWhenDone() {
    if (endOfFile) {
      unwatch();
      atEndOfFile.run();
    }
  }

  /** The command has ended: takes what is there, then ends the tail. */
  void drain() {
    endWhenDrained = true;
    long total = 0;
    while (source.open() && !endOfFile && total < DRAIN_BYTES_MAX) {
      boolean full = tail.space() <= 0;
      long count = readOnce();
      if (full) {
        return;
      }
      if (count <= 0) {
        break;
      }
      total += count;
    }
    endWhenDrained = false;
    tail.end();
    unwatchWhenDone();
  }

  /** The command runs again. */
  void reopen() {
    endWhenDrained = false;
    tail.reopen();
    resume();
  }

  boolean endOfFile() {
    return endOfFile;
  }

  void close() {
    unwatch();
    loop.unregister(key);
    source.close();
    if (!tail.ended()) {
      tail.end();
    }
  }
}
