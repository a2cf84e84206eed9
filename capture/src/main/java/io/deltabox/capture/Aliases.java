package io.deltabox.capture;

import io.deltabox.capture.descriptors.DescriptorTable;
import io.deltabox.capture.descriptors.FileKey;
import io.deltabox.capture.descriptors.OpenFile;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

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

  /** What a descriptor table calls those objects otherwise than {@code objects} does. */
  Map<ObjectId, ObjectId> of(DescriptorTable table, Set<ObjectId> objects) {
    Map<ObjectId, ObjectId> used = new HashMap<>();
    for (OpenFile file : table.files()) {
      ObjectId id = identity(file.key());
      ObjectId original = originals.get(id);
      if (original != null && objects.contains(original)) {
        used.put(id, original);
      }
    }
    return Map.copyOf(used);
  }

  /** How mappings name what fstat(2) names so. */
  static ObjectId identity(FileKey key) {
    return new ObjectId(key.dev(), key.ino());
  }

  void addAll(Map<ObjectId, ObjectId> known) {
    originals.putAll(known);
  }

  WindowRecords apply(WindowRecords records) {
    if (!originals.isEmpty()) {
      records.rename(this::original);
    }
    return records;
  }
}
