package io.deltabox.capture;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * A file or directory of a snapshot as it passes the seam.
 *
 * @param key its identity for the whole life of the sandbox: the same file has the same key in
 *     every snapshot, whatever its name
 * @param size of its content, bytes; 0 for what has none
 * @param extents where its data is, ascending; what lies between is holes
 * @param body everything else: names, attributes, entries, for the way back
 */
public record CapturedFile(ByteBuffer key, long size, List<Extent> extents, ByteBuffer body) {
  /** Bytes {@code [from, to)} of a file. */
  public record Extent(long from, long to) {
    public Extent {
      if (from < 0 || to <= from) {
        throw new IllegalArgumentException("extent is empty: from=" + from + " to=" + to);
      }
    }

    public long bytes() {
      return to - from;
    }
  }

  public CapturedFile {
    key = key.asReadOnlyBuffer();
    body = body.asReadOnlyBuffer();
    extents = List.copyOf(extents);
  }

  /** Bytes of all extents. */
  public long dataBytes() {
    return extents.stream().mapToLong(Extent::bytes).sum();
  }
}
