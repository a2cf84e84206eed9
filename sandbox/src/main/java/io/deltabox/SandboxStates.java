package io.deltabox;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

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
  static SandboxState open(Id sandbox, SandboxHost host, Commands commands, DeltaBoxConfig config)
      throws IOException {
    return new Unconnected();
  }

  private static final class Unconnected implements SandboxState {
    private static UnavailableException unavailable() {
      return new UnavailableException("this build has no capture engine");
    }

    @Override
    public Snapshot checkpoint(@Nullable String name) throws IOException {
      throw unavailable();
    }

    @Override
    public RollbackResult rollback(Id target) throws IOException {
      throw unavailable();
    }

    @Override
    public List<Snapshot> snapshots() {
      return List.of();
    }

    @Override
    public @Nullable Id current() {
      return null;
    }

    @Override
    public SnapshotDiff diff(Id from, Id to) throws IOException {
      throw unavailable();
    }

    @Override
    public void remove(Id snapshot) throws IOException {
      throw unavailable();
    }

    @Override
    public void close() {}
  }
}
