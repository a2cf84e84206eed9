package io.deltabox.snapshot;

import java.util.List;
import java.util.UUID;

/**
 * What a verification found.
 *
 * @param snapshots how many were looked at
 * @param chunks how many chunks were read, each once
 * @param bytes stored bytes of those
 * @param damages what is wrong; empty if all is well
 */
public record VerifyReport(long snapshots, long chunks, long bytes, List<Damage> damages) {
  /**
   * One thing that is damaged.
   *
   * @param what it is, and what is wrong with it
   * @param snapshots those that cannot be read whole because of it; empty for what none refers to
   */
  public record Damage(String what, List<UUID> snapshots) {
    public Damage {
      snapshots = List.copyOf(snapshots);
    }
  }

  public VerifyReport {
    damages = List.copyOf(damages);
  }

  public boolean clean() {
    return damages.isEmpty();
  }
}
