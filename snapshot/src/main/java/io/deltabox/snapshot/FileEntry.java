package io.deltabox.snapshot;

import io.deltabox.store.Bytes;
import java.util.List;

/**
 * A file of a snapshot, without its content.
 *
 * @param key names it; 1 to {@link #KEY_BYTES_MAX} bytes
 * @param body whatever the producer says of it; at most {@link #BODY_BYTES_MAX} bytes
 * @param size its length in bytes, as the producer counts it
 * @param extents where it has content, ascending, without overlap; empty for none
 */
public record FileEntry(Bytes key, Bytes body, long size, List<Extent> extents) {
  /** A path of Linux, and room for what a producer puts before it. */
  public static final int KEY_BYTES_MAX = 8 << 10;

  /** All extended attributes a file can have on Linux, and its metadata. */
  public static final int BODY_BYTES_MAX = 1 << 20;

  public FileEntry {
    if (key.length() == 0 || key.length() > KEY_BYTES_MAX) {
      throw new IllegalArgumentException("file key of impossible length: bytes=" + key.length());
    }
    if (body.length() > BODY_BYTES_MAX || size < 0) {
      throw new IllegalArgumentException(
          "impossible file: key=" + key + " body=" + body.length() + " size=" + size);
    }
    extents = List.copyOf(extents);
    long end = 0;
    for (Extent extent : extents) {
      if (extent.offset() < end) {
        throw new IllegalArgumentException("extents out of order: key=" + key + " at=" + extent);
      }
      end = extent.end();
    }
  }

  /** Bytes of all extents together. */
  public long contentBytes() {
    long bytes = 0;
    for (Extent extent : extents) {
      bytes += extent.bytes();
    }
    return bytes;
  }
}
