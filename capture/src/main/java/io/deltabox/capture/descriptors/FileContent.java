package io.deltabox.capture.descriptors;

import java.nio.ByteBuffer;
import java.util.List;

/** Content of a file without a name; what no extent covers is zeros. */
record FileContent(List<Extent> extents) {
  /** Bytes at an offset. */
  record Extent(long offset, ByteBuffer bytes) {}

  FileContent {
    extents = List.copyOf(extents);
  }
}
