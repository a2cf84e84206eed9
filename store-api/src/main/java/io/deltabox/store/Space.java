package io.deltabox.store;

import java.util.Arrays;
import java.util.Optional;

/**
 * The named spaces of a {@link RecordStore}; each has its own keys. A store knows no more of them.
 */
public enum Space {
  /** What the store is: format, domain, wrapped keys. */
  META(1),
  /** Manifests by snapshot id. */
  MANIFEST(2),
  /** Which other chunks are needed to read a chunk. */
  SUMMARY(3),
  /** Names of snapshots. */
  REF(4),
  /** Remote actions that are still to be done. */
  OUTBOX(5),
  /** What must not be removed, and why. */
  PIN(6),
  /** Packs that a collection is about to delete. */
  CONDEMNED(7),
  /** Packs of the cold tier. */
  PACK(8),
  /** Where the cold tier holds a chunk. */
  LOC(9),
  /** Damage that was found. */
  DAMAGE(10),
  /** The ordered record of what was done. */
  JOURNAL(11);

  private final int number;

  Space(int number) {
    this.number = number;
  }

  /** Stands for the space in stored forms, 1 to 127; never changed. */
  public int number() {
    return number;
  }

  /** The space of a number. */
  public static Optional<Space> of(int number) {
    return Arrays.stream(values()).filter(space -> space.number == number).findFirst();
  }
}
