package io.deltabox.capture;

import io.deltabox.capture.descriptors.DescriptorTable;
import io.deltabox.capture.files.FileState;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Everything a snapshot holds; page contents lie in the keeper's {@link PageStore}.
 *
 * @param processes by number inside the sandbox, parents first
 * @param aliases identities under which the descriptors name objects that a rollback had made
 *     again; the values are keys of {@code objects}
 * @param base what it was made over
 * @param clocks how far the clocks were from the machine's, whose own the descriptors tell
 */
record SnapshotState(
    UUID id,
    @Nullable UUID parent,
    Map<Integer, ProcessSnapshot> processes,
    Map<ObjectId, ObjectState> objects,
    Map<ObjectId, ObjectId> aliases,
    DescriptorTable descriptors,
    @Nullable FileState files,
    BaseIdentity base,
    ClockOffsets clocks) {
  SnapshotState with(FileState otherFiles) {
    return new SnapshotState(
        id, parent, processes, objects, aliases, descriptors, otherFiles, base, clocks);
  }
}
