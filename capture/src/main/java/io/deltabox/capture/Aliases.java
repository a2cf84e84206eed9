package io.deltabox.capture;

import java.util.HashMap;
import java.util.Map;

/**
 * Shared objects that a rollback made again: the new identity stands for the one that snapshots
 * know.
 */
final class Aliases {
  private final Map<ObjectId, ObjectId> originals = new HashMap<>();

  void add(ObjectId made, ObjectId original) {
    originals.put(made, original);
  }

  ObjectId original(ObjectId id) {
    return originals.getOrDefault(id, id);
  }

  WindowRecords apply(WindowRecords records) {
    if (!originals.isEmpty()) {
      records.rename(this::original);
    }
    return records;
  }
}
