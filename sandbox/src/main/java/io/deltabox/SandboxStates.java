package io.deltabox;

import java.io.IOException;

/** Makes the state part of a sandbox: the place where the capture engine is connected. */
final class SandboxStates {
  private SandboxStates() {}

  /**
   * Opens the state of a new sandbox.
   *
   * @param host borrowed until the state is closed
   * @param commands its commands: {@link Commands#capture} before a snapshot, {@link
   *     Commands#afterRollback} after a rollback
   */
  static SandboxState open(
      Id sandbox, SandboxHost host, Commands commands, Sandbox.Services services)
      throws IOException {
    return CapturedState.open(sandbox, host, commands, services);
  }
}
