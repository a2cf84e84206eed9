package io.deltabox.snapshot;

/**
 * A stretch of a file that has content; what is between extents is a hole.
 *
 * @param offset of its first byte in the file
 * @param bytes its length, at least 1
 */
public record Extent(long offset, long bytes) {
  public Extent {
    if (offset < 0 || bytes < 1 || offset > Long.MAX_VALUE - bytes) {
      throw new IllegalArgumentException("impossible extent: offset=" + offset + " bytes=" + bytes);
    }
  }

  /** Of the first byte behind it. */
  public long end() {
    return offset + bytes;
  }
}
