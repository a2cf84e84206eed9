package io.deltabox.store;

/**
 * How to open a store.
 *
 * @param access what may be done
 * @param memoryBytes how much memory the store may use for itself, approximately
 */
public record OpenOptions(Access access, long memoryBytes) {
  private static final long MEMORY_BYTES = 256L << 20;

  /** What may be done with an open store. */
  public enum Access {
    /** Everything; made if it is not there. */
    CREATE,
    /** Everything; it must be there. */
    WRITE,
    /** Reading; it must be there. Others may have it open as well, and what they do may be seen. */
    READ
  }

  public OpenOptions {
    if (memoryBytes < 1 << 20) {
      throw new IllegalArgumentException("too little memory for a store: bytes=" + memoryBytes);
    }
  }

  public static OpenOptions create() {
    return new OpenOptions(Access.CREATE, MEMORY_BYTES);
  }

  public static OpenOptions write() {
    return new OpenOptions(Access.WRITE, MEMORY_BYTES);
  }

  public static OpenOptions read() {
    return new OpenOptions(Access.READ, MEMORY_BYTES);
  }

  public boolean readOnly() {
    return access == Access.READ;
  }
}
