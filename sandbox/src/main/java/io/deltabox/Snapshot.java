package io.deltabox;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An immutable state of a sandbox, a node of its lineage. This object is a description of it: the
 * state itself is kept by the box. Thread-safe.
 */
public final class Snapshot {
  private final Id id;
  private final Id sandboxId;
  private final @Nullable String name;
  private final @Nullable Id parent;
  private final Instant time;
  private final CheckpointStats stats;
  private final boolean unchanged;
  private final boolean leftByRollback;

  Snapshot(
      Id id,
      Id sandboxId,
      @Nullable String name,
      @Nullable Id parent,
      CheckpointStats stats,
      boolean unchanged,
      boolean leftByRollback) {
    this.id = id;
    this.sandboxId = sandboxId;
    this.name = name;
    this.parent = parent;
    this.time = id.instant();
    this.stats = stats;
    this.unchanged = unchanged;
    this.leftByRollback = leftByRollback;
  }

  public Id id() {
    return id;
  }

  /** The sandbox whose lineage it belongs to. */
  public Id sandboxId() {
    return sandboxId;
  }

  /** Its name when this object was made, or null: names move. */
  public @Nullable String name() {
    return name;
  }

  /** The snapshot the sandbox was at before, or null for the first. */
  public @Nullable Id parent() {
    return parent;
  }

  /** When the processes were stopped for it. */
  public Instant time() {
    return time;
  }

  public CheckpointStats stats() {
    return stats;
  }

  /** True if the checkpoint that returned this found nothing changed since and made nothing new. */
  public boolean unchanged() {
    return unchanged;
  }

  /** True if it was made by a rollback of what it left, and goes when nobody needs it. */
  public boolean leftByRollback() {
    return leftByRollback;
  }

  /** The same snapshot under another name. */
  Snapshot named(@Nullable String other) {
    return new Snapshot(id, sandboxId, other, parent, stats, unchanged, leftByRollback);
  }

  /** The same snapshot as the answer of a checkpoint that found nothing changed since. */
  Snapshot unchangedSince() {
    return new Snapshot(id, sandboxId, name, parent, stats, true, leftByRollback);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Snapshot that && that.id.equals(id);
  }

  @Override
  public int hashCode() {
    return id.hashCode();
  }

  @Override
  public String toString() {
    return "snapshot " + id + (name == null ? "" : " " + name);
  }
}
