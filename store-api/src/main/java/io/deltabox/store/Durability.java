package io.deltabox.store;

/** What a commit promises when it returns. */
public enum Durability {
  /** Visible to all threads; may be lost with the process. */
  BUFFERED,
  /**
   * Survives a kill of the process and a loss of power, together with all chunk writes, chunk
   * deletions and commits that had returned before this commit was called, by any thread. A store
   * without {@link Capability#DURABLE} promises no more than {@link #BUFFERED}.
   */
  SYNC
}
