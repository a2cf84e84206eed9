package io.deltabox.snapshot;

/**
 * How a store of snapshots is used.
 *
 * @param unsavedBytesMax plain bytes that writers may have given and that are not written yet;
 *     beyond it they wait
 * @param cacheBytesMax plain bytes of chunks, and about as much of tables, that are kept in memory
 *     because they may be needed again
 * @param encoders threads that hash, compress and encrypt
 */
public record SnapshotOptions(long unsavedBytesMax, long cacheBytesMax, int encoders) {
  /** The most one call of a writer hands over, and room for another one. */
  private static final long UNSAVED_BYTES_MIN = 1 << 20;

  public SnapshotOptions {
    if (unsavedBytesMax < UNSAVED_BYTES_MIN || cacheBytesMax < 0 || encoders < 1 || encoders > 64) {
      throw new IllegalArgumentException(
          "impossible options: unsaved="
              + unsavedBytesMax
              + " cache="
              + cacheBytesMax
              + " encoders="
              + encoders);
    }
  }

  /** 64 MiB each, two threads. */
  public static SnapshotOptions standard() {
    return new SnapshotOptions(64 << 20, 64 << 20, 2);
  }
}
