package io.deltabox.capture;

import io.deltabox.capture.descriptors.DescriptorTable;
import io.deltabox.capture.descriptors.Devices;
import io.deltabox.capture.descriptors.FileKey;
import io.deltabox.capture.descriptors.OtherName;
import io.deltabox.capture.files.ContentStore;
import io.deltabox.capture.files.FileChange;
import io.deltabox.capture.files.FileLayout;
import io.deltabox.capture.files.FileLoader;
import io.deltabox.capture.files.FileRollbackResult;
import io.deltabox.capture.files.FileState;
import io.deltabox.capture.files.FileTracker;
import io.deltabox.capture.files.LiveHolders;
import io.deltabox.capture.files.ProcHolders;
import io.deltabox.linux.Memory;
import io.deltabox.linux.OptionalFeature;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The files of a sandbox as the engine uses them; does nothing for a target without files. Guarded
 * by the engine.
 */
final class FilesPart implements AutoCloseable {
  private final @Nullable FileTracker tracker;

  private final Set<OptionalFeature> without;

  private FilesPart(@Nullable FileTracker tracker, Set<OptionalFeature> without) {
    this.tracker = tracker;
    this.without = without;
  }

  static FilesPart open(CaptureTarget target, ContentStore store) throws IOException {
    FileLayout layout = target.files();
    FileTracker tracker = layout == null ? null : FileTracker.open(layout, store);
    return new FilesPart(tracker, target.without());
  }

  /** A snapshot of another container, whose files are looked at over the base of this one. */
  SnapshotState over(SnapshotState snapshot) {
    FileState state = snapshot.files();
    return tracker == null || state == null ? snapshot : snapshot.with(tracker.over(state));
  }

  @Nullable FileTracker tracker() {
    return tracker;
  }

  void prepare() throws IOException {
    if (tracker != null) {
      tracker.prepare();
    }
  }

  /** The plan of the next window, or null. */
  @Nullable Memory plan() {
    return tracker == null ? null : tracker.windowPlan();
  }

  /** After a window without room: true if another try can succeed. */
  boolean makeRoom() throws IOException {
    return tracker != null && tracker.makeRoom();
  }

  /** The state at a checkpoint, from the records of its window. */
  @Nullable FileState capture(ByteBuffer records) throws IOException {
    return tracker == null ? null : tracker.capture(records);
  }

  /** What leads to a file whose name was gone at the checkpoint just made; null for nothing. */
  @Nullable OtherName otherName(FileKey key) {
    FileTracker.OtherPath found =
        tracker == null ? null : tracker.otherPath(Devices.plain(key.dev()), key.ino());
    return found == null
        ? null
        : new OtherName(
            found.path(), found.inBase() ? OtherName.Place.BASE : OtherName.Place.SANDBOX);
  }

  /** Opens a file of the base for reading; the caller closes it. */
  int openBase(String path) throws CaptureException {
    if (tracker == null) {
      throw new CaptureException("the files of this sandbox are not followed: path=" + path);
    }
    return tracker.openBase(path);
  }

  /**
   * What a rollback of the files did.
   *
   * @param changed files and names that were edited
   * @param moved whether names were: what is open or mapped may be known by another one now
   */
  record Edits(long changed, boolean moved) {
    static final Edits NONE = new Edits(0, false);
  }

  /**
   * Puts the files back; everything is stopped.
   *
   * @param sharedMapping whether some process maps a file shared
   */
  Edits rollback(
      @Nullable FileState target,
      Collection<Integer> pids,
      DescriptorTable descriptors,
      boolean sharedMapping)
      throws IOException {
    if (tracker == null || target == null) {
      return Edits.NONE;
    }
    boolean silent = sharedMapping || descriptors.anyWriter();
    if (!silent && tracker.untouchedSince(target)) {
      return Edits.NONE;
    }
    FileRollbackResult result =
        tracker.rollback(
            target,
            silent ? ProcHolders.read(pids, without) : LiveHolders.none(),
            () -> ProcHolders.read(pids, without),
            descriptors.anyLease() ? FileTracker.Leases.POSSIBLE : FileTracker.Leases.NONE);
    long names = (long) result.removed() + result.created() + result.moved() + result.exposed();
    boolean otherInodes = !result.replaced().isEmpty() || !result.approximate().isEmpty();
    return new Edits(names + result.written(), names > 0 || otherInodes);
  }

  /** What differs now from a state, seen from now; everything is stopped and stays as it is. */
  List<FileChange> differences(@Nullable FileState target) throws IOException {
    return tracker == null || target == null ? List.of() : tracker.differences(target);
  }

  /** Whether a device is one of those a snapshot has the files of. */
  boolean isOwn(long device) {
    return tracker != null && tracker.isOwn(device);
  }

  /**
   * What makes a state of files that come from elsewhere, or null for a target without files.
   *
   * @param parent what it differs from; null: the base
   */
  @Nullable FileLoader loader(@Nullable FileState parent) {
    return tracker == null ? null : tracker.loader(parent);
  }

  void afterThaw() throws IOException {
    if (tracker != null) {
      tracker.afterThaw();
    }
  }

  static List<FileChange> changes(SnapshotState from, SnapshotState to) {
    FileState before = from.files();
    FileState after = to.files();
    return before == null || after == null ? List.of() : before.diff(after);
  }

  @Override
  public void close() {
    if (tracker != null) {
      tracker.close();
    }
  }
}
