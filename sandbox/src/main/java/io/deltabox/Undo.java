package io.deltabox;

/** Whether a rollback can itself be taken back. */
public enum Undo {
  /**
   * What the rollback leaves is kept as a snapshot first, at the price of one more checkpoint,
   * until the next rollback: {@link Sandbox#undo} goes there.
   */
  KEEP,

  /** What was not saved is gone: for searches that save what they want to come back to. */
  NONE
}
