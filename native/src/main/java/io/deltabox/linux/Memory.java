package io.deltabox.linux;

import com.kenai.jffi.MemoryIO;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A block of memory outside the Java heap with a fixed address, for what the mechanism library
 * fills or reads.
 *
 * <p>Buffers from {@link #slice} are valid until {@link #close}; using one after that is undefined.
 * Not thread-safe by itself: the owner orders access.
 */
public final class Memory implements AutoCloseable {
  /** Whether pages are populated when the block is made. */
  public enum Touch {
    /**
     * Every page is populated now; the first use inside a freeze window is then as fast as the
     * later ones.
     */
    NOW,
    /** Pages are populated on first use. */
    LATER
  }

  private final long address;
  private final long bytes;
  private boolean closed;

  private Memory(long address, long bytes) {
    this.address = address;
    this.bytes = bytes;
  }

  /**
   * Maps a new block, zeroed.
   *
   * @param bytes size, rounded up to whole pages by the kernel
   * @throws IOException if the kernel refuses
   */
  public static Memory allocate(long bytes, Touch touch) throws IOException {
    if (bytes <= 0) {
      throw new IllegalArgumentException("size must be positive: bytes=" + bytes);
    }
    long address = NativeLibrary.core().dbx_map(bytes, touch == Touch.NOW ? 1 : 0);
    if (address < 0 && address > -4096) {
      throw new IOException("map memory failed: " + Errno.text((int) -address) + " bytes=" + bytes);
    }
    return new Memory(address, bytes);
  }

  /** Address of the first byte. */
  public long address() {
    if (closed) {
      throw new IllegalStateException("memory is closed");
    }
    return address;
  }

  /** Size in bytes. */
  public long size() {
    return bytes;
  }

  /**
   * A little-endian view of {@code length} bytes from {@code offset}; borrowed, valid until {@link
   * #close}.
   */
  public ByteBuffer slice(long offset, int length) {
    if (offset < 0 || length < 0 || offset + length > bytes) {
      throw new IndexOutOfBoundsException(
          "offset=" + offset + " length=" + length + " size=" + bytes);
    }
    return view(address() + offset, length);
  }

  /**
   * A little-endian view of memory at a raw address; the caller keeps the memory alive as long as
   * the view is used.
   */
  public static ByteBuffer view(long address, int length) {
    return MemoryIO.getInstance()
        .newDirectByteBuffer(address, length)
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Gives the pages back to the kernel; the contents become zeros. */
  public void drop() {
    NativeLibrary.core().dbx_drop(address(), bytes);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      NativeLibrary.core().dbx_unmap(address, bytes);
    }
  }
}
