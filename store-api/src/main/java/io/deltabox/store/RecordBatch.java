package io.deltabox.store;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Changes to be committed together, and what must be so for them to be. Later changes of a key win
 * over earlier ones. Built by one thread; not changed by a commit.
 */
public final class RecordBatch {
  /**
   * A change of one key.
   *
   * @param value null removes the record
   */
  public record Change(Space space, Bytes key, @Nullable Bytes value) {}

  /**
   * What a key must have before the changes.
   *
   * @param value null: no record
   */
  public record Condition(Space space, Bytes key, @Nullable Bytes value) {}

  private final List<Change> changes = new ArrayList<>();
  private final List<Condition> conditions = new ArrayList<>();
  private long bytes;

  public RecordBatch put(Space space, Bytes key, Bytes value) {
    checkKey(key);
    if (value.length() > RecordStore.VALUE_BYTES_MAX) {
      throw new IllegalArgumentException(
          "value too long: space=" + space + " key=" + key + " bytes=" + value.length());
    }
    return add(new Change(space, key, value), value.length());
  }

  public RecordBatch delete(Space space, Bytes key) {
    checkKey(key);
    return add(new Change(space, key, null), 0);
  }

  /** The commit happens only if this is the value under the key. */
  public RecordBatch expect(Space space, Bytes key, Bytes value) {
    checkKey(key);
    conditions.add(new Condition(space, key, value));
    return this;
  }

  /** The commit happens only if there is no record under the key. */
  public RecordBatch expectAbsent(Space space, Bytes key) {
    checkKey(key);
    conditions.add(new Condition(space, key, null));
    return this;
  }

  /** In the order they were added. */
  public List<Change> changes() {
    return List.copyOf(changes);
  }

  public List<Condition> conditions() {
    return List.copyOf(conditions);
  }

  /** Bytes of all keys and values to be written. */
  public long bytes() {
    return bytes;
  }

  private RecordBatch add(Change change, int valueBytes) {
    bytes += change.key().length() + valueBytes;
    if (bytes > RecordStore.BATCH_BYTES_MAX) {
      throw new IllegalArgumentException("batch too large: bytes=" + bytes);
    }
    changes.add(change);
    return this;
  }

  private static void checkKey(Bytes key) {
    if (key.length() == 0 || key.length() > RecordStore.KEY_BYTES_MAX) {
      throw new IllegalArgumentException("key of impossible length: bytes=" + key.length());
    }
  }
}
