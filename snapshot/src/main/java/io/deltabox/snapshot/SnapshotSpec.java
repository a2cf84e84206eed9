package io.deltabox.snapshot;

import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a producer says of a snapshot before it writes it.
 *
 * @param id names it, for ever; never used for another one
 * @param parent what the deltas are against; null: what follows is complete. A parent need not stay
 *     in the store
 * @param time when the state was taken
 * @param attributes whatever else a producer wants to find again: kind, lineage, producer; few and
 *     short, {@link #ATTRIBUTES_BYTES_MAX} together
 */
public record SnapshotSpec(
    UUID id, @Nullable UUID parent, Instant time, Map<String, String> attributes) {
  /** All keys and values of the attributes, in UTF-16 units. */
  public static final int ATTRIBUTES_BYTES_MAX = 64 << 10;

  public SnapshotSpec {
    attributes = Collections.unmodifiableMap(new TreeMap<>(attributes));
    int length = 0;
    for (Map.Entry<String, String> entry : attributes.entrySet()) {
      length += entry.getKey().length() + entry.getValue().length();
    }
    if (length > ATTRIBUTES_BYTES_MAX || id.equals(parent)) {
      throw new IllegalArgumentException(
          "impossible snapshot: id=" + id + " parent=" + parent + " attributes=" + length);
    }
  }

  /** One without a parent. */
  public static SnapshotSpec complete(UUID id, Instant time) {
    return new SnapshotSpec(id, null, time, Map.of());
  }

  /** One that follows another one. */
  public static SnapshotSpec after(UUID parent, UUID id, Instant time) {
    return new SnapshotSpec(id, parent, time, Map.of());
  }
}
