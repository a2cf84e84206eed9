package io.deltabox.store;

/** What a store promises beyond the contract that all share. */
public enum Capability {
  /** What was committed at {@link Durability#SYNC} is there when the store is opened again. */
  DURABLE,
  /** Many processes, and machines, may have it open at the same time. */
  SHARED
}
