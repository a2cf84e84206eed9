package io.deltabox;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/** An open file descriptor of this process, closed once. Thread-safe. */
final class Descriptor implements AutoCloseable {
  static final int O_RDONLY = 0;
  static final int O_DIRECTORY = 0200000;
  static final int O_PATH = 010000000;
  static final int NOWHERE = -1;

  private final AtomicInteger fd;

  Descriptor(int fd) {
    this.fd = new AtomicInteger(fd);
  }

  /**
   * Takes what a native function returned.
   *
   * @param tried as {@link Errno#check} wants it
   */
  static Descriptor of(int result, String tried) throws IOException {
    return new Descriptor((int) Errno.check(result, tried));
  }

  /** Opens a path, below {@code directory} or absolute with {@link #NOWHERE}. */
  static Descriptor open(int directory, String path, int flags) throws IOException {
    return of(SandboxFunctions.get().dbx_sandbox_open(directory, path, flags), "open path=" + path);
  }

  /** Bytes as a read-only file without a name. */
  static Descriptor ofBytes(byte[] bytes) throws IOException {
    try (Memory memory = Memory.allocate(Math.max(1, bytes.length), Memory.Touch.LATER)) {
      memory.slice(0, bytes.length).put(bytes);
      return of(
          SandboxFunctions.get().dbx_sandbox_memfd(memory.address(), bytes.length),
          "make memory file bytes=" + bytes.length);
    }
  }

  /** The number. */
  int fd() {
    int value = fd.get();
    if (value < 0) {
      throw new IllegalStateException("descriptor is closed");
    }
    return value;
  }

  boolean open() {
    return fd.get() >= 0;
  }

  /** A path that reaches what it refers to, for file operations of the JDK. */
  Path path() {
    return Path.of("/proc/self/fd/" + fd());
  }

  /** The same open file under another number. */
  Descriptor duplicate() throws IOException {
    return of(SandboxFunctions.get().dbx_sandbox_duplicate(fd()), "duplicate descriptor");
  }

  @Override
  public void close() {
    int value = fd.getAndSet(-1);
    if (value >= 0) {
      SandboxFunctions.get().dbx_sandbox_close(value);
    }
  }

  /** Calls that make two descriptors at once. */
  interface PairMaker {
    int make(long address);
  }

  /** Two descriptors made by one call. */
  record Pair(Descriptor first, Descriptor second) {
    static Pair make(PairMaker maker, String tried) throws IOException {
      try (Memory memory = Memory.allocate(8, Memory.Touch.LATER)) {
        Errno.check(maker.make(memory.address()), tried);
        ByteBuffer numbers = memory.slice(0, 8);
        return new Pair(new Descriptor(numbers.getInt(0)), new Descriptor(numbers.getInt(4)));
      }
    }
  }
}
