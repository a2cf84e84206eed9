package io.deltabox.capture.files;

import io.deltabox.capture.CaptureException;
import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Follows the files of one sandbox: what changed since the last checkpoint, what a checkpoint
 * keeps, and the way back to any state of the lineage.
 *
 * <p>Safe for several threads, but between {@link #windowPlan} and {@link #capture} nothing else
 * may be called: the window works in the memory of the plan. The sandbox may run during {@link
 * #prepare}, {@link #capture} and {@link #afterThaw}; it must be stopped during the window and
 * during {@link #rollback}.
 */
public final class FileTracker implements AutoCloseable {
  private static final String HIDDEN = ".deltabox-staging";
  private static final int ARENA_BYTES = 1 << 20;
  private static final int ARENA_HEADER = 32;
  private static final long AREA_BYTES = 4L << 20;

  /**
   * Directories looked into to learn under which numbers the base is shown; the rest is learned
   * when it is first touched.
   */
  private static final int PROBED_MAX = 32;

  private final FileOps ops;
  private final FileRestorer restorer;
  private final FilePlaces places;
  private final BaseTree base;
  private final LiveFiles files = new LiveFiles();
  private final DeviceMap devices = new DeviceMap(files);
  private final ContentStore store;
  private final Staging staging;
  private final WindowPlan plan;
  private final FileLayout layout;
  private final int fanotify;
  private final int mount;
  private Memory arena;
  private FileRecords pending = new FileRecords();
  private FileState current;
  private final Map<Long, FileStatus> openForWriting = new HashMap<>();

  private FileTracker(FileLayout layout, ContentStore store) throws IOException {
    this.layout = layout;
    this.store = store;
    ops = new FileOps();
    int path = FileOps.O_PATH | FileOps.O_DIRECTORY | FileOps.O_NOFOLLOW;
    int upper = ops.open(layout.tmpfs(), layout.upper(), path);
    int work = ops.open(layout.tmpfs(), layout.work(), path);
    int shared = layout.shared().isEmpty() ? -1 : ops.open(layout.tmpfs(), layout.shared(), path);
    fanotify = (int) FileOps.check(FileOps.calls().dbx_file_track(layout.tmpfs()), "track", "");
    int cover = ops.open(layout.tree(), layout.staging(), path);
    int stage = hidden(cover);
    ops.close(cover);
    int sharedStage = shared < 0 ? -1 : hidden(layout.tmpfs());
    int upperStage = ops.open(upper, layout.staging() + "/" + HIDDEN, path);
    places =
        new FilePlaces(
            layout.tree(), layout.tmpfs(), upper, work, shared, stage, upperStage, sharedStage);
    base = new BaseTree(ops, layout.lowers());
    restorer = new FileRestorer(ops, base);
    staging = new Staging(ops, places, layout.mounts());
    staging.clear();
    // Handles cannot be resolved through a descriptor opened with O_PATH.
    mount = ops.open(layout.tmpfs(), ".", FileOps.O_RDONLY | FileOps.O_DIRECTORY);
    plan = new WindowPlan(fanotify, mount, upper, shared, AREA_BYTES);
    arena = Memory.allocate(ARENA_BYTES, Memory.Touch.LATER);
    current = FileState.untouched(base);
    learnDevices();
    ignoreOwn();
    files.putDirectory(ops.stat(upper, "").inode(), FileId.ROOT, /* merged= */ true);
    if (shared >= 0) {
      files.putDirectory(ops.stat(shared, "").inode(), FileId.SHARED_ROOT, /* merged= */ false);
    }
    if (!base.isDirectory(layout.staging())) {
      long covered = ops.stat(upper, layout.staging()).inode();
      files.putDirectory(covered, FileId.STAGING, /* merged= */ false);
    }
    look(WindowPlan.RESCAN);
    current = advance(pending);
    acknowledge();
  }

  /**
   * Starts to follow a sandbox; the state now is {@link #current()}.
   *
   * @param store where captured bytes are kept; borrowed
   */
  public static FileTracker open(FileLayout layout, ContentStore store) throws IOException {
    return new FileTracker(layout, store);
  }

  private int hidden(int parent) throws CaptureException {
    String name = HIDDEN;
    int made = ops.tryMake(parent, name, FileMeta.TYPE_DIRECTORY | 0700);
    if (made != -Errno.EEXIST) {
      FileOps.check(made, "create staging directory", name);
    }
    return ops.open(parent, name, FileOps.O_PATH | FileOps.O_DIRECTORY | FileOps.O_NOFOLLOW);
  }

  /** Learns under which device numbers the overlay shows its layers. */
  private void learnDevices() throws CaptureException {
    ops.make(places.stage(), "probe", FileMeta.TYPE_REGULAR | 0600, 0, 0);
    devices.upper(ops.stat(places.stage(), "probe").device());
    ops.unlink(places.stage(), "probe");
    devices.shared(ops.stat(places.tmpfs(), "").device());
    plan.devices(devices.upper(), devices.shared());
    plan.since(ops.stat(places.upper(), "").birth() / 1_000_000_000L);
    Deque<String> queue = new ArrayDeque<>();
    queue.add("");
    for (int probed = 0; !queue.isEmpty() && probed < PROBED_MAX; probed++) {
      String directory = queue.remove();
      boolean learned = false;
      for (FileOps.Listed listed : base.names(directory)) {
        String path = BaseTree.join(directory, listed.name());
        if (listed.type() == FileOps.DT_DIR && queue.size() < PROBED_MAX) {
          queue.add(path);
        } else if (listed.type() == FileOps.DT_REG && !learned) {
          learnDevice(path);
          learned = true;
        }
      }
    }
  }

  private void learnDevice(String path) {
    BaseTree.Found found = base.find(path);
    if (found == null || devices.knows(found.status().device())) {
      return;
    }
    FileStatus shown = ops.tryStat(layout.tree(), path);
    if (shown != null && shown.inode() == found.status().inode()) {
      devices.learn(shown.device(), found.status().device());
    }
  }

  private void ignoreOwn() throws CaptureException {
    plan.ignore(0, ops.stat(places.work(), "").inode());
    FileStatus inner = ops.tryStat(places.work(), "work");
    if (inner != null) {
      plan.ignore(1, inner.inode());
    }
    int cover = ops.open(places.upper(), layout.staging(), FileOps.O_PATH | FileOps.O_DIRECTORY);
    plan.ignore(2, ops.stat(cover, ".deltabox-staging").inode());
    ops.close(cover);
    if (places.sharedStage() >= 0) {
      plan.ignore(3, ops.stat(places.sharedStage(), "").inode());
    }
    plan.ignore(4, ops.stat(places.tmpfs(), "").inode());
  }

  // ---- looking

  /**
   * Takes and reads what changed so far, while the sandbox runs; what changes again is read again
   * later. Makes the next window shorter.
   */
  public synchronized void prepare() throws IOException {
    look(0);
    plan.acknowledge();
  }

  /** One look outside of a checkpoint; what it found is added to the pending records. */
  private void look(int flags) throws IOException {
    look(flags, pending);
  }

  private void look(int flags, FileRecords found) throws IOException {
    for (; ; ) {
      plan.begin(flags);
      ByteBuffer header = arena.slice(0, ARENA_HEADER);
      header.putLong(0, arena.address() + ARENA_HEADER);
      header.putLong(8, arena.size() - ARENA_HEADER);
      header.putLong(16, 0);
      header.putLong(24, 0);
      int result = FileOps.calls().dbx_file_window(plan.memory().address(), arena.address());
      long need = header.getLong(24);
      boolean grown = plan.makeRoom();
      if (need > arena.size() - ARENA_HEADER) {
        arena.close();
        arena = Memory.allocate(need * 2 + ARENA_HEADER, Memory.Touch.LATER);
        continue;
      }
      if (result == -FileOps.ENOBUFS && grown) {
        continue;
      }
      FileOps.check(result, "look at changed files", "");
      int used = Math.toIntExact(header.getLong(16));
      found.addAll(FileRecords.parse(arena.slice(ARENA_HEADER, used), plan.areaAddress(), store));
      return;
    }
  }

  /**
   * The plan the next checkpoint's window works with; borrowed until {@link #close}. The engine
   * adds the holders of files and runs it once while everything is stopped.
   */
  public synchronized Memory windowPlan() {
    plan.begin(0);
    return plan.memory();
  }

  /** The plan as it is, without a new beginning. */
  synchronized Memory windowPlan0() {
    return plan.memory();
  }

  /** Notes a holder for the next look, as dbx_files_hold does. */
  synchronized void hold(int pid, int descriptor, long start, long end) {
    plan.hold(pid, descriptor, start, end);
  }

  /**
   * After a window that failed for lack of room: enlarges what was too small. The events it took
   * are kept.
   *
   * @return whether another try can succeed
   */
  public synchronized boolean makeRoom() throws IOException {
    return plan.makeRoom();
  }

  /**
   * Makes the state at a checkpoint from the records of its window. After a failure nothing is
   * forgotten: the next checkpoint sees the same changes.
   *
   * @param records the engine's arena; records of other parts are skipped
   */
  public synchronized FileState capture(ByteBuffer records) throws IOException {
    FileRecords all = new FileRecords();
    all.addAll(pending);
    all.addAll(FileRecords.parse(records, plan.areaAddress(), store));
    FileState next = advance(all);
    current = next;
    acknowledge();
    return next;
  }

  private FileState advance(FileRecords records) throws IOException {
    StateBuilder builder = new StateBuilder(current, records, files, devices);
    FileState next = builder.build();
    for (FileContent content : builder.redundant()) {
      content.pieces().forEach(piece -> store.drop(piece.block()));
    }
    builder.touched().forEach(this::learnDevice);
    for (FileRecords.Inode inode : records.held()) {
      openForWriting.put(inode.status().inode(), inode.status());
    }
    return next;
  }

  private void acknowledge() throws IOException {
    pending = new FileRecords();
    plan.acknowledge();
    plan.known(new ArrayList<>(openForWriting.values()));
  }

  /** The state of the last checkpoint or rollback; later changes are counted from it. */
  public synchronized FileState current() {
    return current;
  }

  /** An opaque name of the file a holder sees under a device and inode number, if it is known. */
  synchronized @Nullable FileId identify(long device, long inode) {
    return devices.identify(device, inode);
  }

  /** True of the numbers under which stat(2) shows what the sandbox itself has written. */
  public synchronized boolean isOwn(long device) {
    return device == devices.upper() || device == devices.shared();
  }

  /** What leads to a file whose name a holder knows no more. */
  public record OtherPath(String path, boolean inBase) {}

  /**
   * Finds a file of {@link #current()} by what fstat(2) tells its holders.
   *
   * @return a path it has, absolute in the sandbox; or, when it has no name there but is as in the
   *     base, its path in the base; null if its content is nowhere but with its holders
   */
  public synchronized @Nullable OtherPath otherPath(long device, long inode) {
    FileId id = devices.identify(device, inode);
    if (id == null) {
      return null;
    }
    String basePath = id.kind() == FileId.Kind.BASE ? files.basePath(id) : null;
    FileNode node = current.node(id);
    FileNode.Link link =
        node != null
            ? node.links().isEmpty() ? null : node.links().get(0)
            : basePath == null ? null : current.naturalLink(id, basePath);
    if (link != null) {
      return new OtherPath("/" + current.path(link.directory(), link.name()), false);
    }
    return basePath == null ? null : new OtherPath(basePath, true);
  }

  /** Opens a file of the base for reading; the caller closes it. */
  public synchronized int openBase(String path) throws CaptureException {
    return base.open(path);
  }

  // ---- back

  /**
   * Puts the files back to a state, while everything is stopped. May be repeated: what is right is
   * not touched. After a failure the tree is neither; another rollback, to whatever state, starts
   * from what is there.
   *
   * @param target a state made by this tracker, or by another one with the same store over the same
   *     base
   * @param holders what living processes hold
   */
  public synchronized FileRollbackResult rollback(FileState target, LiveHolders holders)
      throws IOException {
    return rollback(target, holders, () -> holders, Leases.POSSIBLE);
  }

  /**
   * True if the files are what {@code target} says, as far as events tell: files that are open for
   * writing or mapped shared may have changed without one. Everything must be stopped.
   */
  public synchronized boolean untouchedSince(FileState target) throws IOException {
    if (current.nodes() != target.nodes()) {
      return false;
    }
    look(WindowPlan.NO_CONTENT);
    return pending.isEmpty();
  }

  /**
   * What differs now from a state, seen from now, as far as events tell. Everything must be
   * stopped; nothing is learnt by it, so that the next look finds the same.
   */
  public synchronized List<FileChange> differences(FileState wanted) throws IOException {
    FileRecords seen = new FileRecords();
    seen.addAll(pending);
    look(WindowPlan.NO_CONTENT, seen);
    FileState target = adopt(wanted);
    FileState live = new StateBuilder(current, seen, new LiveFiles(files), devices).build();
    return live.diff(target);
  }

  /** Whether somebody may hold a lease (fcntl(2), F_SETLEASE) on a file of the sandbox. */
  public enum Leases {
    NONE,
    POSSIBLE
  }

  /**
   * The same when it is known whether there are leases: looking for them takes milliseconds,
   * because the kernel waits for all its readers of the list of locks (fs/locks.c, locks_start).
   *
   * @param writers holders that may have changed a file without an event
   * @param holders everything that is held; read only if base files may be shown again
   */
  public synchronized FileRollbackResult rollback(
      FileState wanted, LiveHolders writers, LiveHolders.Source holders, Leases leases)
      throws IOException {
    FileState target = adopt(wanted);
    look(WindowPlan.NO_CONTENT);
    StateBuilder builder = new StateBuilder(current, pending, files, devices);
    builder.suspect(writers);
    FileState live = builder.build();
    Exposer exposer = new Exposer(ops, base, files, devices, staging, holders);
    FileRollbackResult result;
    FileRecords split;
    try (FileRollback rollback =
        new FileRollback(
            ops,
            restorer,
            places,
            files,
            staging,
            live,
            target,
            exposer,
            leases == Leases.NONE ? Set.of() : leasedInodes())) {
      result = rollback.run();
      split = rollback.split(store);
    }
    dropEcho();
    current = split.isEmpty() ? target : new StateBuilder(target, split, files, devices).build();
    openForWriting.clear();
    acknowledge();
    return result;
  }

  /** A state of another tracker, seen over this one's base, which lives as long as this. */
  public FileState over(FileState state) {
    return state.over(base);
  }

  /** A state of another tracker speaks of files of the base that nobody has touched here. */
  private FileState adopt(FileState state) {
    if (state.base() == base) {
      return state;
    }
    state
        .basePaths()
        .forEach(
            (id, path) -> {
              BaseTree.Found found = files.basePath(id) == null ? base.find(path) : null;
              if (found != null && found.id().equals(id)) {
                files.putBase(id, found.status().device(), found.status().inode(), path);
              }
            });
    return state.over(base);
  }

  /** The events of our own edits, all of them ours because everything is stopped. */
  private void dropEcho() throws IOException {
    plan.acknowledge();
    plan.begin(WindowPlan.DRAIN_ONLY);
    ByteBuffer header = arena.slice(0, ARENA_HEADER);
    header.putLong(8, 0);
    while (FileOps.calls().dbx_file_window(plan.memory().address(), arena.address())
        == -FileOps.ENOBUFS) {
      plan.acknowledge();
    }
  }

  /** Inodes somebody has a lease on: opening them for writing would send the holder a signal. */
  private static Set<String> leasedInodes() throws IOException {
    Set<String> inodes = new HashSet<>();
    for (String line : Files.readAllLines(Path.of("/proc/locks"))) {
      if (line.contains("LEASE")) {
        String[] words = line.trim().split("\\s+");
        String place = words.length > 5 ? words[5] : "";
        inodes.add(place.substring(place.lastIndexOf(':') + 1));
      }
    }
    return inodes;
  }

  /** Deletes, while the sandbox runs, what a rollback has put away. */
  public synchronized void afterThaw() throws IOException {
    staging.deleteDiscarded();
  }

  // ---- memory

  /**
   * Takes a state of these files back that was kept elsewhere.
   *
   * @param parent what it differs from; null: the base
   */
  public synchronized FileLoader loader(@Nullable FileState parent) {
    return new FileLoader(store, parent == null ? FileState.untouched(base) : parent.over(base));
  }

  /** Adds the contents this tracker needs whatever snapshots are kept. */
  synchronized void collect(Set<Object> met, Set<FileContent> reachable) {
    current.collect(met, reachable);
    reachable.addAll(pending.contents());
  }

  @Override
  public synchronized void close() {
    ops.close(fanotify);
    ops.close(mount);
    ops.close(places.upper());
    ops.close(places.work());
    ops.close(places.shared());
    ops.close(places.stage());
    ops.close(places.upperStage());
    ops.close(places.sharedStage());
    plan.close();
    arena.close();
    restorer.close();
    base.close();
    ops.close();
  }
}
