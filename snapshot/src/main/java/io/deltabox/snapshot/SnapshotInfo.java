package io.deltabox.snapshot;

import io.deltabox.store.Bytes;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot that is in the store.
 *
 * @param spec what its producer said of it
 * @param digest 32 bytes that name all it holds: equal digests mean equal content. The same content
 *     reached another way has another digest
 * @param pages how many pages it has, those of zeros among them
 * @param files how many files it has
 * @param contentBytes bytes of its pages, of the content of its files and of its records
 * @param deltaBytes bytes that were given for it, before anything was saved
 * @param storedBytes bytes that were written for it: chunks that were not there before, and {@code
 *     metadataBytes}
 * @param metadataBytes bytes of its tables, its manifest and what goes with them
 */
public record SnapshotInfo(
    SnapshotSpec spec,
    Bytes digest,
    long pages,
    long files,
    long contentBytes,
    long deltaBytes,
    long storedBytes,
    long metadataBytes) {
  public UUID id() {
    return spec.id();
  }

  public @Nullable UUID parent() {
    return spec.parent();
  }
}
