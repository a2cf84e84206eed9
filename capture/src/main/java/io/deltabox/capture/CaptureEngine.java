package io.deltabox.capture;

import io.deltabox.capture.descriptors.DescriptorTable;
import io.deltabox.capture.files.FileChange;
import io.deltabox.capture.files.FileState;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Checkpoint and rollback of one running sandbox, with its snapshots in memory.
 *
 * <p>Thread-safe: one operation at a time, on the sandbox's own tracing thread. A checkpoint that
 * fails leaves the sandbox running and forgets nothing; a rollback that fails before it edits
 * leaves it running, later it throws {@link RollbackLostException}.
 */
public final class CaptureEngine implements AutoCloseable {
  private static final int DEADLINE_MILLIS = 100;
  private static final int FOLLOWED_MAX = 8192;
  private static final int PRECOPY_ROUNDS_MAX = 4096;

  private final CaptureTarget target;
  private final Tracer tracer;
  private final Window window;
  private final Keeper keeper;
  private final MemoryWork work;
  private final Aliases aliases = new Aliases();
  private final Memory pids;
  private final FilesPart files;

  /**
   * Layouts with their advice as of the last checkpoint or rollback, by number in the daemon's
   * namespace.
   */
  private final Map<Integer, List<Region>> layouts = new HashMap<>();

  private CapturePhase.Hook hook = CapturePhase.Hook.NONE;
  private @Nullable Runnable whileStopped;
  private @Nullable SnapshotState current;

  private CaptureEngine(
      CaptureTarget target,
      Tracer tracer,
      Window window,
      Keeper keeper,
      Memory pids,
      FilesPart files) {
    this.target = target;
    this.tracer = tracer;
    this.window = window;
    this.keeper = keeper;
    this.work = keeper.work();
    this.pids = pids;
    this.files = files;
  }

  /**
   * @param target the sandbox; its processes may be running already
   * @param keeperBytes bound of the memory for snapshots
   */
  public static CaptureEngine open(CaptureTarget target, long keeperBytes) throws IOException {
    Tracer tracer =
        Tracer.open("deltabox-trace-" + target.name(), target.initPid(), target.engineChannel());
    Window window = new Window(tracer);
    Memory pids = Memory.allocate(FOLLOWED_MAX * 4L, Memory.Touch.NOW);
    return new CaptureEngine(
        target, tracer, window, new Keeper(keeperBytes), pids, FilesPart.open(target.files()));
  }

  /** Called with each phase of each operation; for tests that inject faults. */
  public void onPhase(CapturePhase.Hook phaseHook) {
    this.hook = phaseHook;
  }

  /**
   * Run at the end of each checkpoint and rollback while everything is stopped, on the tracing
   * thread; null for none.
   */
  public void whileStopped(@Nullable Runnable check) {
    this.whileStopped = check;
  }

  /** Where the engine maps its scratch area in every process it follows; part of no snapshot. */
  public static final long SCRATCH_ADDRESS = 0x30000000000L;

  /** Size of that area. */
  public static final long SCRATCH_BYTES = InjectedBatch.SCRATCH_BYTES;

  /**
   * Follows new processes and copies what was written so far, while the sandbox runs, so that the
   * next checkpoint's pause finds little to do. Never changes what a snapshot holds.
   */
  public synchronized void prepare() throws IOException {
    tracer.run(
        () -> {
          prepareHere();
          return null;
        });
  }

  private void prepareHere() throws IOException {
    files.prepare();
    int count = tracer.calls.dbx_engine_prepare(tracer.handle(), pids.address(), FOLLOWED_MAX);
    if (count < 0) {
      return;
    }
    ByteBuffer list = pids.slice(0, FOLLOWED_MAX * 4);
    for (int i = 0; i < count; i++) {
      int pid = list.getInt(4 * i);
      for (int round = 0; round < PRECOPY_ROUNDS_MAX && precopy(pid); round++) {}
    }
    tracer.settleLater();
  }

  /** One round; true if more is left. */
  private boolean precopy(int pid) throws IOException {
    Memory arena = window.arena();
    long bytes =
        tracer.calls.dbx_engine_precopy(tracer.handle(), pid, arena.address(), arena.size());
    if (bytes <= 0) {
      return false;
    }
    WindowRecords records = WindowRecords.parse(arena.slice(0, (int) bytes), arena.address());
    WindowRecords.Entry entry = records.entries().get(pid);
    if (entry == null) {
      return false;
    }
    try {
      work.apply(pid, entry, PageMap.EMPTY);
    } catch (KeeperFullException e) {
      // Not handed over: the checkpoint finds these pages again and says that there is no room.
      return false;
    }
    tracer.calls.dbx_engine_acknowledge(tracer.handle());
    return bytes > arena.size() / 2;
  }

  /**
   * Makes a snapshot.
   *
   * @param id of the snapshot to make; unused if nothing has changed
   * @throws UnsupportedException if something inside cannot be checkpointed
   * @throws KeeperFullException if there is no room
   */
  public synchronized CheckpointReport checkpoint(UUID id) throws IOException {
    return tracer.run(() -> checkpointHere(id));
  }

  private CheckpointReport checkpointHere(UUID id) throws IOException {
    hook.enter(CapturePhase.CHECKPOINT_PREPARE);
    prepareHere();
    hook.enter(CapturePhase.CHECKPOINT_WINDOW);
    Runnable check = whileStopped;
    window.checkpoint(
        DEADLINE_MILLIS, check == null ? Window.After.THAW : Window.After.HOLD, files);
    WindowRecords records = aliases.apply(window.records());
    if (check != null) {
      try {
        check.run();
        advise(records);
      } finally {
        tracer.calls.dbx_engine_thaw(tracer.handle());
      }
    } else {
      advise(records);
    }
    hook.enter(CapturePhase.CHECKPOINT_READ);
    Map<Integer, ProcessState> states = new LinkedHashMap<>();
    records.entries().values().forEach(e -> states.put(e.state().pid(), e.state()));
    DescriptorTable descriptors = DescriptorTable.parse(window.recordBytes());
    Refusals.check(states.values());
    Refusals.check(descriptors);
    hook.enter(CapturePhase.CHECKPOINT_KEEP);
    keep(records, states);
    hook.enter(CapturePhase.CHECKPOINT_COMMIT);
    return commit(id, records, states, descriptors);
  }

  private void advise(WindowRecords records) {
    for (Map.Entry<Integer, WindowRecords.Entry> one : records.entries().entrySet()) {
      WindowRecords.Entry entry = one.getValue();
      List<Region> known = layouts.getOrDefault(one.getKey(), List.of());
      boolean same = entry.fresh.isEmpty() && entry.sameLayout(known);
      entry.advise(same ? Map.of() : readAdvice(one.getKey()), known);
      layouts.put(one.getKey(), List.copyOf(entry.regions));
    }
    layouts.keySet().retainAll(records.entries().keySet());
  }

  /** A process may have ended since the window; what it was advised then is what it was before. */
  private static Map<Advice.Range, Integer> readAdvice(int pid) {
    try {
      return Advice.read(pid);
    } catch (IOException e) {
      return Map.of();
    }
  }

  private void keep(WindowRecords records, Map<Integer, ProcessState> states) throws IOException {
    try {
      for (Map.Entry<Integer, WindowRecords.Entry> entry : records.entries().entrySet()) {
        ProcessState state = states.get(entry.getKey());
        if (state == null || state.zombie()) {
          continue;
        }
        if (state.execed()) {
          work.set(entry.getKey(), PageMap.EMPTY);
        }
        work.apply(entry.getKey(), entry.getValue(), work.of(state.parentPid()));
        work.trim(entry.getKey(), entry.getValue().regions, entry.getValue().own);
      }
      for (WindowRecords.ObjectBlock block : records.objects()) {
        work.apply(block);
      }
      if (keeper.bytesUsed() + files.bytesHeld() > keeper.bytesMax()) {
        throw keeper.full();
      }
    } catch (KeeperFullException e) {
      throw keeper.full();
    }
    tracer.calls.dbx_engine_acknowledge(tracer.handle());
    work.retainProcesses(states.keySet());
  }

  private CheckpointReport commit(
      UUID id,
      WindowRecords records,
      Map<Integer, ProcessState> states,
      DescriptorTable descriptors)
      throws IOException {
    FileState fileState = files.capture(window.recordBytes());
    Map<Integer, ProcessSnapshot> processes = new LinkedHashMap<>();
    states
        .values()
        .forEach(s -> processes.put(s.inner(), new ProcessSnapshot(s, work.of(s.pid()))));
    Map<ObjectId, ObjectState> objects = new HashMap<>();
    records.objects().forEach(block -> objects.put(block.id(), work.object(block.id())));
    work.retainObjects(objects.keySet());
    SnapshotState before = current;
    SnapshotState made =
        new SnapshotState(
            id, before == null ? null : before.id(), processes, objects, descriptors, fileState);
    boolean unchanged = before != null && Differences.none(before, made);
    if (!unchanged) {
      keeper.put(made);
      current = made;
    }
    ByteBuffer result = window.result();
    long changed = before == null ? keeper.pages(made) : Differences.pages(before, made);
    return new CheckpointReport(
        unchanged && before != null ? before.id() : id,
        made.parent(),
        unchanged,
        window.times(),
        (int) result.getLong(WindowTimes.PROCESSES),
        (int) result.getLong(WindowTimes.THREADS),
        result.getLong(WindowTimes.PAGES),
        changed,
        before == null ? 0 : FilesPart.changes(before, made).size(),
        changed * PageStore.PAGE_BYTES);
  }

  /**
   * Puts the sandbox back.
   *
   * @throws CaptureException if it cannot be put back; the sandbox runs on as it was
   * @throws RollbackLostException if it failed half-way
   */
  public synchronized RollbackReport rollback(UUID id) throws IOException {
    SnapshotState wanted = keeper.get(id);
    return tracer.run(() -> rollbackHere(wanted));
  }

  private RollbackReport rollbackHere(SnapshotState wanted) throws IOException {
    hook.enter(CapturePhase.ROLLBACK_FREEZE);
    window.freeze(DEADLINE_MILLIS);
    Rollback rollback = null;
    try {
      rollback =
          new Rollback(tracer, window, keeper, aliases, files, wanted, hook, target.initPid());
      RollbackReport report = rollback.run(whileStopped);
      current = wanted;
      layouts.clear();
      wanted.processes().values().forEach(p -> layouts.put(p.state().pid(), p.state().regions()));
      files.afterThaw();
      return report;
    } catch (IOException | RuntimeException e) {
      if (rollback != null && rollback.editing()) {
        throw new RollbackLostException("rollback failed half-way: " + e.getMessage(), e);
      }
      tracer.calls.dbx_engine_thaw(tracer.handle());
      throw e;
    }
  }

  /** The snapshot the sandbox was last saved as or put back to, or null. */
  public synchronized @Nullable UUID current() {
    return current == null ? null : current.id();
  }

  /** Ids of the snapshots kept, oldest first. */
  public synchronized List<UUID> snapshots() {
    return new ArrayList<>(keeper.ids());
  }

  /** What differs between the processes of two snapshots, by number inside. */
  public synchronized List<ProcessDifference> processDifferences(UUID from, UUID to)
      throws CaptureException {
    return Differences.processes(keeper.get(from), keeper.get(to));
  }

  /** What differs between the files of two snapshots. */
  public synchronized List<FileChange> fileDifferences(UUID from, UUID to) throws CaptureException {
    return FilesPart.changes(keeper.get(from), keeper.get(to));
  }

  /** Processes inside at a snapshot, by their number inside. */
  public synchronized Set<Integer> processesOf(UUID id) throws CaptureException {
    return Set.copyOf(keeper.get(id).processes().keySet());
  }

  /** Forgets a snapshot; what other snapshots and the running sandbox need of it stays. */
  public synchronized void remove(UUID id) throws CaptureException {
    Set<PageMap> alsoLive = new HashSet<>();
    if (current != null) {
      current.processes().values().forEach(p -> alsoLive.add(p.pages()));
      current.objects().values().forEach(o -> alsoLive.add(o.pages()));
    }
    keeper.remove(id, alsoLive);
    List<SnapshotState> kept = new ArrayList<>(keeper.all());
    if (current != null) {
      kept.add(current);
    }
    files.retain(kept);
  }

  /** Memory used by page contents, and its bound, bytes. */
  public synchronized long[] keeperBytes() {
    return new long[] {keeper.bytesUsed() + files.bytesHeld(), keeper.bytesMax()};
  }

  /** The sandbox this engine works on. */
  public CaptureTarget target() {
    return target;
  }

  @Override
  public synchronized void close() {
    tracer.close();
    files.close();
    window.close();
    keeper.close();
    pids.close();
  }
}
