package io.deltabox.store;

import java.util.Optional;

/**
 * One value that many machines change, each change on the ground of the one before it:
 * linearizable. A value that its writer must recognise as its own, after an undecided attempt,
 * carries a nonce.
 */
public interface Register {
  /** The version of a register that was never set. */
  long ABSENT = 0;

  /** The longest value. */
  int BYTES_MAX = 1 << 20;

  /**
   * A value with its version.
   *
   * @param version positive, grows with each change
   */
  record Versioned(long version, Bytes value) {}

  /** What became of a compare-and-set. */
  sealed interface Result {
    /** The value is set. */
    record Set(long version) implements Result {}

    /** Another version was there, and nothing was changed. */
    record Lost(Optional<Versioned> current) implements Result {}
  }

  Optional<Versioned> read() throws StoreException;

  /**
   * Sets the value if the register is at a version.
   *
   * @param expected {@link #ABSENT} for a register that was never set
   * @throws StoreUndecidedException if it is not known whether it was set: read back and compare
   */
  Result compareAndSet(long expected, Bytes value) throws StoreException;
}
