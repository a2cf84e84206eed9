package io.deltabox.store;

import org.jspecify.annotations.Nullable;

/**
 * Keys of a space: {@code from <= key < to}.
 *
 * @param to null for no bound
 */
public record RecordRange(Bytes from, @Nullable Bytes to) {
  public static final RecordRange ALL = new RecordRange(Bytes.EMPTY, null);

  /** All keys that begin so. */
  public static RecordRange prefix(Bytes prefix) {
    return new RecordRange(prefix, prefix.afterPrefix());
  }

  public boolean contains(Bytes key) {
    return key.compareTo(from) >= 0 && (to == null || key.compareTo(to) < 0);
  }
}
