package io.deltabox;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Makes the state part of a sandbox: the place where the capture engine is connected. */
final class SandboxStates {
  private SandboxStates() {}

  /**
   * Opens the state of a new sandbox.
   *
   * @param host borrowed until the state is closed
   * @param from what it is made of; null for an empty one
   * @param commands its commands: {@link Commands#capture} before a snapshot, {@link
   *     Commands#afterRollback} after a rollback
   */
  static SandboxState open(
      Id sandbox,
      SandboxSpec spec,
      SandboxHost host,
      Commands commands,
      Sandbox.Services services,
      Containers containers,
      @Nullable RestorePoint from)
      throws IOException {
    CapturedState.Place place =
        new CapturedState.Place(sandbox, spec, commands, services, containers);
    return from == null
        ? CapturedState.open(place, host)
        : CapturedState.restore(place, host, from);
  }
}
