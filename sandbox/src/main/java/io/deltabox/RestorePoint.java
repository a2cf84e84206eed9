package io.deltabox;

import io.deltabox.check.CheckSession;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the daemon has to know of a snapshot, beside its state in the keeper, to make a sandbox of
 * it.
 *
 * @param spec of the sandbox it was made in
 * @param commands that ran
 * @param check where its image is, if it was made with a check
 */
record RestorePoint(
    Snapshot snapshot,
    SandboxSpec spec,
    List<CapturedExec> commands,
    @Nullable CheckSession check) {
  RestorePoint {
    commands = List.copyOf(commands);
  }
}
