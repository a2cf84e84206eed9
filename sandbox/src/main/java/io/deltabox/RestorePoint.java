package io.deltabox;

import io.deltabox.capture.CaptureSource;
import io.deltabox.check.CheckSession;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the daemon has to know of a snapshot, beside its state, to make a sandbox of it.
 *
 * @param spec of the sandbox it was made in
 * @param commands that ran
 * @param check where its image is, if it was made with a check
 * @param source where its state is; null: in the box's keeper
 */
record RestorePoint(
    Snapshot snapshot,
    SandboxSpec spec,
    List<CapturedExec> commands,
    @Nullable CheckSession check,
    @Nullable CaptureSource source) {
  RestorePoint {
    commands = List.copyOf(commands);
  }

  /** The same snapshot, its state elsewhere. */
  RestorePoint in(CaptureSource other) {
    return new RestorePoint(snapshot, spec, commands, check, other);
  }
}
