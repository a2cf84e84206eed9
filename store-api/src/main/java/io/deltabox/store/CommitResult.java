package io.deltabox.store;

import java.util.Optional;

/** What became of a commit. */
public sealed interface CommitResult {
  /** The batch is applied. */
  record Committed() implements CommitResult {}

  /**
   * A condition does not hold, and nothing was changed.
   *
   * @param condition the first that does not
   * @param found what is under its key
   */
  record Conflict(RecordBatch.Condition condition, Optional<Bytes> found) implements CommitResult {}

  /** True if the batch is applied. */
  default boolean committed() {
    return this instanceof Committed;
  }
}
