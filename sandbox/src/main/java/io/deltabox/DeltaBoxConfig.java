package io.deltabox;

import java.nio.file.Path;

/**
 * Where a box keeps things and how much it may hold.
 *
 * @param dataDirectory root of everything the box writes to disk; made when missing, mode 0700
 * @param keeperBytesMax bound of the memory that holds snapshots
 */
public record DeltaBoxConfig(Path dataDirectory, long keeperBytesMax) {
  /** 4 GiB: some thousands of snapshots of an ordinary agent session. */
  public static final long KEEPER_BYTES_DEFAULT = 4L << 30;

  public DeltaBoxConfig {
    if (keeperBytesMax <= 0) {
      throw new IllegalArgumentException(
          "bound of the snapshot memory must be positive: keeperBytesMax=" + keeperBytesMax);
    }
  }

  /** A configuration with the default bounds. */
  public static DeltaBoxConfig of(Path dataDirectory) {
    return new DeltaBoxConfig(dataDirectory, KEEPER_BYTES_DEFAULT);
  }

  /** The same with another bound of the snapshot memory. */
  public DeltaBoxConfig withKeeperBytesMax(long bytes) {
    return new DeltaBoxConfig(dataDirectory, bytes);
  }
}
