package io.deltabox;

import io.deltabox.capture.CaptureEngine;
import io.deltabox.capture.CapturePhase;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The lineage of one sandbox: what turns its living processes into snapshots and back. The only
 * seam between the library and the capture engine.
 *
 * <p>The sandbox calls it with no command being started, one call at a time.
 */
interface SandboxState extends AutoCloseable {
  /**
   * From now on each checkpoint takes an independent image of everything and each rollback to such
   * a snapshot is compared with it.
   *
   * @param basePaths what is read of the base too; null to take no more images
   */
  void checking(@Nullable List<String> basePaths);

  /** Whether rollbacks to a snapshot are compared with an image taken when it was made. */
  boolean checked(Id snapshot);

  /** What passes snapshots on to stores and takes them back. */
  CaptureEngine engine();

  /** Called on entering each phase of each operation; what it throws happens there. */
  void onPhase(CapturePhase.Hook hook);

  /** Follows new processes and copies ahead what changed, while the sandbox runs. */
  void prepare() throws IOException;

  Snapshot checkpoint(@Nullable String name) throws IOException;

  RollbackResult rollback(Id target, Undo undo) throws IOException;

  /** What a rollback would do now. */
  RollbackPlan plan(Id target) throws IOException;

  /** Where the last rollback can be taken back to, or null. */
  @Nullable Id left();

  /** What a sandbox can be made of, or null for a snapshot of another lineage. */
  @Nullable RestorePoint restorePoint(Id snapshot);

  /** All snapshots kept, oldest first. */
  List<Snapshot> snapshots() throws IOException;

  /** The snapshot the sandbox was last saved as or put back to, or null. */
  @Nullable Id current();

  SnapshotDiff diff(Id from, Id to) throws IOException;

  /** Forgets a snapshot; what other snapshots need of it stays. */
  void remove(Id snapshot) throws IOException;

  /**
   * Closes it; what has a name outlives it.
   *
   * @return what outlives it
   */
  List<RestorePoint> end();

  @Override
  void close();
}
