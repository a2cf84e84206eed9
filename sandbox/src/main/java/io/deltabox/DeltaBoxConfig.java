package io.deltabox;

import io.deltabox.linux.OptionalFeature;
import java.nio.file.Path;
import java.util.Set;

/**
 * Where a box keeps things and how much it may hold.
 *
 * @param dataDirectory root of everything the box writes to disk; made when missing, mode 0700
 * @param keeperBytesMax bound of the memory that holds snapshots
 * @param without features of the kernel that are not to be used even if they are there
 */
public record DeltaBoxConfig(
    Path dataDirectory, long keeperBytesMax, Set<OptionalFeature> without) {
  /** 4 GiB: some thousands of snapshots of an ordinary agent session. */
  public static final long KEEPER_BYTES_DEFAULT = 4L << 30;

  public DeltaBoxConfig {
    without = Set.copyOf(without);
    if (keeperBytesMax <= 0) {
      throw new IllegalArgumentException(
          "bound of the snapshot memory must be positive: keeperBytesMax=" + keeperBytesMax);
    }
  }

  /**
   * A configuration with the default bounds, without what the environment switches off.
   *
   * @throws IllegalArgumentException if the environment names an unknown feature
   */
  public static DeltaBoxConfig of(Path dataDirectory) {
    return new DeltaBoxConfig(dataDirectory, KEEPER_BYTES_DEFAULT, OptionalFeature.switchedOff());
  }

  /** The same with another bound of the snapshot memory. */
  public DeltaBoxConfig withKeeperBytesMax(long bytes) {
    return new DeltaBoxConfig(dataDirectory, bytes, without);
  }

  /** The same without some features of the kernel. */
  public DeltaBoxConfig withoutFeatures(Set<OptionalFeature> features) {
    return new DeltaBoxConfig(dataDirectory, keeperBytesMax, features);
  }
}
