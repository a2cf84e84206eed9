package io.deltabox.snapshot;

import io.deltabox.store.CommitResult;

/**
 * What became of a commit of a snapshot.
 *
 * @param result {@link CommitResult.Conflict}: a condition of the records that were to be committed
 *     with it does not hold, the snapshot is not in the store, and the writer can commit again
 * @param info the snapshot
 * @param bytesIn bytes of pages, of content of files and of records that were given
 * @param bytesZero those of pages that are zero, which cost nothing
 * @param bytesDeduplicated those of chunks that were in the store already
 * @param bytesStored what was written for the rest, as it is stored
 * @param bytesMetadata what was written beside it: tables, manifest, summaries
 */
public record Receipt(
    CommitResult result,
    SnapshotInfo info,
    long bytesIn,
    long bytesZero,
    long bytesDeduplicated,
    long bytesStored,
    long bytesMetadata) {
  /** Whether the snapshot is in the store. */
  public boolean committed() {
    return result.committed();
  }
}
