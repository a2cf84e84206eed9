package io.deltabox.snapshot.table;

import io.deltabox.snapshot.FileEntry;
import java.util.List;

/**
 * A file and where its content is.
 *
 * @param pieces of its content in order; together as long as its extents
 */
public record StoredFile(FileEntry entry, List<FilePiece> pieces) {
  public StoredFile {
    pieces = List.copyOf(pieces);
    long bytes = 0;
    for (FilePiece piece : pieces) {
      bytes += piece.bytes();
    }
    if (bytes != entry.contentBytes()) {
      throw new IllegalArgumentException(
          "content and extents differ: key="
              + entry.key()
              + " found="
              + bytes
              + " expected="
              + entry.contentBytes());
    }
  }
}
