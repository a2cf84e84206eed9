package io.deltabox.store.local;

import io.deltabox.store.Bytes;
import io.deltabox.store.CommitResult;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.RecordRange;
import io.deltabox.store.Space;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/** All records of a store in memory. Guarded by itself. */
final class RecordTable {
  private final Map<Space, NavigableMap<Bytes, Bytes>> spaces = new EnumMap<>(Space.class);
  private long bytes;

  RecordTable() {
    for (Space space : Space.values()) {
      spaces.put(space, new TreeMap<>());
    }
  }

  private NavigableMap<Bytes, Bytes> space(Space space) {
    NavigableMap<Bytes, Bytes> found = spaces.get(space);
    if (found == null) {
      throw new IllegalStateException("no space: " + space);
    }
    return found;
  }

  synchronized Optional<Bytes> get(Space space, Bytes key) {
    return Optional.ofNullable(space(space).get(key));
  }

  synchronized Map<Bytes, Bytes> getAll(Space space, Collection<Bytes> keys) {
    Map<Bytes, Bytes> found = new HashMap<>();
    for (Bytes key : keys) {
      Bytes value = space(space).get(key);
      if (value != null) {
        found.put(key, value);
      }
    }
    return found;
  }

  /** A copy of a range, in order: commits that come later do not change it. */
  synchronized List<Map.Entry<Bytes, Bytes>> range(Space space, RecordRange range) {
    List<Map.Entry<Bytes, Bytes>> found = new ArrayList<>();
    NavigableMap<Bytes, Bytes> from = space(space).tailMap(range.from(), true);
    for (Map.Entry<Bytes, Bytes> entry : from.entrySet()) {
      if (!range.contains(entry.getKey())) {
        break;
      }
      found.add(Map.entry(entry.getKey(), entry.getValue()));
    }
    return found;
  }

  /** Bytes of all keys and values. */
  synchronized long bytes() {
    return bytes;
  }

  /** The first condition that does not hold. */
  synchronized Optional<CommitResult.Conflict> conflict(RecordBatch batch) {
    for (RecordBatch.Condition condition : batch.conditions()) {
      Optional<Bytes> found = get(condition.space(), condition.key());
      if (!found.equals(Optional.ofNullable(condition.value()))) {
        return Optional.of(new CommitResult.Conflict(condition, found));
      }
    }
    return Optional.empty();
  }

  synchronized void apply(List<RecordBatch.Change> changes) {
    for (RecordBatch.Change change : changes) {
      NavigableMap<Bytes, Bytes> records = space(change.space());
      Bytes value = change.value();
      Bytes old = value == null ? records.remove(change.key()) : records.put(change.key(), value);
      bytes += value == null ? 0 : change.key().length() + value.length();
      bytes -= old == null ? 0 : change.key().length() + old.length();
    }
  }

  /** Everything, as one list of changes that makes it. */
  synchronized List<RecordBatch.Change> all() {
    List<RecordBatch.Change> all = new ArrayList<>();
    spaces.forEach(
        (space, records) ->
            records.forEach((key, value) -> all.add(new RecordBatch.Change(space, key, value))));
    return all;
  }
}
