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
 */
record SnapshotState(
    UUID id,
    @Nullable UUID parent,
    Map<Integer, ProcessSnapshot> processes,
    Map<ObjectId, ObjectState> objects,
    DescriptorTable descriptors,
    @Nullable FileState files) {}
