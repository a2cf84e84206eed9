package io.deltabox.capture;

import io.deltabox.capture.descriptors.DescriptorTable;
import io.deltabox.capture.descriptors.FileKey;
import io.deltabox.capture.files.FileChange;
import io.deltabox.capture.files.FileState;
import io.deltabox.capture.files.FileTracker;
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
import java.util.concurrent.Callable;
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

  private final Keeper keeper;
  private volatile Hold hold;
  private final Map<UUID, SnapshotState> lineage = new LinkedHashMap<>();

  private final Keeper.User user =
      new Keeper.User() {
        @Override
        public List<SnapshotState> snapshots() {
          return known();
        }

        @Override
        public @Nullable MemoryWork work() {
          return hold.work;
        }

        @Override
        public @Nullable FileTracker tracker() {
          return hold.files.tracker();
        }
      };

  private CapturePhase.Hook hook = CapturePhase.Hook.NONE;
  private @Nullable Runnable whileStopped;
  private @Nullable CaptureSink sink;
  private @Nullable SnapshotState current;

  private CaptureEngine(Keeper keeper, Hold hold) {
    this.keeper = keeper;
    this.hold = hold;
  }

  /**
   * @param target the sandbox; its processes may be running already
   * @param keeper where its snapshots are kept; borrowed
   */
  public static CaptureEngine open(CaptureTarget target, Keeper keeper) throws IOException {
    CaptureEngine engine = new CaptureEngine(keeper, Hold.open(target, keeper));
    keeper.add(engine.user);
    return engine;
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
    run(
        () -> {
          hold.prepare();
          return null;
        });
  }

  /** Work on the tracing thread that may take contents. */
  private <T> T run(Callable<T> work) throws IOException {
    keeper.using().lock();
    try {
      return hold.tracer.run(work);
    } finally {
      keeper.using().unlock();
    }
  }

  /** Oldest first; also what is current and no longer listed. */
  private List<SnapshotState> known() {
    synchronized (lineage) {
      List<SnapshotState> all = new ArrayList<>(lineage.values());
      SnapshotState now = current;
      if (now != null && !lineage.containsKey(now.id())) {
        all.add(now);
      }
      return all;
    }
  }

  private SnapshotState snapshot(UUID id) throws CaptureException {
    synchronized (lineage) {
      SnapshotState found = lineage.get(id);
      if (found == null) {
        throw new CaptureException("no such snapshot in memory: id=" + id);
      }
      return found;
    }
  }

  /**
   * Makes a snapshot.
   *
   * @param id of the snapshot to make; unused if nothing has changed
   * @throws UnsupportedException if something inside cannot be checkpointed
   * @throws KeeperFullException if there is no room
   */
  public synchronized CheckpointReport checkpoint(UUID id) throws IOException {
    try {
      return run(() -> checkpointHere(id));
    } catch (KeeperFullException e) {
      throw keeper.full(known());
    }
  }

  private CheckpointReport checkpointHere(UUID id) throws IOException {
    Pace pace = hold.tracer.pace();
    pace.begin();
    try {
      return checkpointHere(id, pace);
    } finally {
      pace.end();
    }
  }

  private CheckpointReport checkpointHere(UUID id, Pace pace) throws IOException {
    hook.enter(CapturePhase.CHECKPOINT_PREPARE);
    hold.prepare();
    hook.enter(CapturePhase.CHECKPOINT_WINDOW);
    Runnable check = whileStopped;
    pace.rest();
    hold.window.checkpoint(
        DEADLINE_MILLIS, check == null ? Window.After.THAW : Window.After.HOLD, hold.files);
    if (check == null) {
      pace.rest();
    }
    WindowRecords records = hold.aliases.apply(hold.window.records());
    if (check != null) {
      // Everything still stands: no rests here.
      try {
        check.run();
        advise(records);
      } finally {
        hold.tracer.thaw();
      }
    } else {
      pace.point();
      advise(records);
    }
    pace.point();
    hook.enter(CapturePhase.CHECKPOINT_READ);
    Map<Integer, ProcessState> states = new LinkedHashMap<>();
    records.entries().values().forEach(e -> states.put(e.state().pid(), e.state()));
    DescriptorTable descriptors =
        DescriptorTable.parse(hold.window.recordBytes(), hold.target.devices());
    pace.point();
    Refusals.check(states.values());
    Refusals.check(descriptors);
    hook.enter(CapturePhase.CHECKPOINT_KEEP);
    keep(records, states);
    pace.point();
    hook.enter(CapturePhase.CHECKPOINT_COMMIT);
    return commit(id, records, states, descriptors);
  }

  private void advise(WindowRecords records) {
    for (Map.Entry<Integer, WindowRecords.Entry> one : records.entries().entrySet()) {
      WindowRecords.Entry entry = one.getValue();
      List<Region> known = hold.layouts.getOrDefault(one.getKey(), List.of());
      boolean same = entry.sameLayout(known);
      entry.advise(same ? Map.of() : readAdvice(one.getKey()), known);
      hold.layouts.put(one.getKey(), List.copyOf(entry.regions));
    }
    hold.layouts.keySet().retainAll(records.entries().keySet());
  }

  /** A process may have ended since the window; what it was advised then is what it was before. */
  private static Map<Advice.Range, Integer> readAdvice(int pid) {
    try {
      return Advice.read(pid);
    } catch (IOException e) {
      return Map.of();
    }
  }

  /** Mapped files whose names are gone while they may have another one. */
  private static Set<FileKey> removed(Map<Integer, ProcessState> states) {
    Set<FileKey> keys = new HashSet<>();
    for (ProcessState state : states.values()) {
      for (Region region : state.regions()) {
        if (region.deleted()) {
          keys.add(region.key());
        }
      }
    }
    return keys;
  }

  private void keep(WindowRecords records, Map<Integer, ProcessState> states) throws IOException {
    MemoryWork work = hold.work;
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
    if (keeper.bytesUsed() > keeper.bytesMax()) {
      throw new KeeperFullException(keeper.bytesMax());
    }
    hold.tracer.calls.dbx_engine_acknowledge(hold.tracer.handle());
    work.retainProcesses(states.keySet());
  }

  private CheckpointReport commit(
      UUID id,
      WindowRecords records,
      Map<Integer, ProcessState> states,
      DescriptorTable descriptors)
      throws IOException {
    FileState fileState = hold.files.capture(hold.window.recordBytes());
    hold.tracer.pace().point();
    Map<Integer, ProcessSnapshot> processes = new LinkedHashMap<>();
    states
        .values()
        .forEach(s -> processes.put(s.inner(), new ProcessSnapshot(s, hold.work.of(s.pid()))));
    Map<ObjectId, ObjectState> objects = new HashMap<>();
    records.objects().forEach(block -> objects.put(block.id(), hold.work.object(block.id())));
    hold.work.retainObjects(objects.keySet());
    DescriptorTable named = descriptors.withOtherNames(removed(states), hold.files::otherName);
    SnapshotState before = current;
    SnapshotState made =
        new SnapshotState(
            id,
            before == null ? null : before.id(),
            processes,
            objects,
            hold.aliases.of(named, objects.keySet()),
            named,
            fileState,
            BaseFiles.inUse(
                hold.tracer,
                hold.target.initPid(),
                states.values(),
                named,
                hold.files::isOwn,
                hold.target.files()),
            hold.target.clocks());
    hold.tracer.pace().point();
    boolean unchanged = before != null && Differences.none(before, made);
    hold.tracer.pace().point();
    if (!unchanged) {
      passOn(made, before);
      synchronized (lineage) {
        lineage.put(id, made);
        current = made;
      }
    }
    ByteBuffer result = hold.window.result();
    long changed = before == null ? Keeper.pages(made) : Differences.pages(before, made);
    return new CheckpointReport(
        unchanged && before != null ? before.id() : id,
        made.parent(),
        unchanged,
        hold.window.times(),
        (int) result.getLong(WindowTimes.PROCESSES),
        (int) result.getLong(WindowTimes.THREADS),
        result.getLong(WindowTimes.PAGES),
        changed,
        before == null ? 0 : FilesPart.changes(before, made).size(),
        changed * PageStore.PAGE_BYTES);
  }

  private void passOn(SnapshotState made, @Nullable SnapshotState before) throws IOException {
    CaptureSink to = sink;
    if (to != null) {
      boolean delta = before != null && to.knows(before.id());
      new SnapshotSender(keeper.store(), to).send(made, delta ? before : null);
    }
  }

  /**
   * Passes every snapshot made from now on to a sink before the checkpoint returns, after the thaw:
   * as a delta when the sink knows its parent. A checkpoint whose snapshot the sink refuses fails,
   * and forgets nothing.
   *
   * @param to borrowed until another call; null for none
   */
  public synchronized void passOnTo(@Nullable CaptureSink to) {
    this.sink = to;
  }

  /**
   * Takes a snapshot of this sandbox back into memory, so that it can be put back to it.
   *
   * @throws KeeperFullException if there is no room
   */
  public synchronized void load(CaptureSource from, UUID id) throws IOException {
    from.prefetch(id);
    try (KeeperSink to = new KeeperSink(keeper, hold.files, this::loaded)) {
      Transfer.whole(from, id, to);
    } catch (KeeperFullException e) {
      throw keeper.full(known());
    } catch (IOException | RuntimeException e) {
      keeper.collect();
      throw e;
    }
  }

  private void loaded(SnapshotState snapshot) {
    synchronized (lineage) {
      lineage.put(snapshot.id(), snapshot);
    }
  }

  /**
   * Puts the sandbox back.
   *
   * @throws CaptureException if it cannot be put back; the sandbox runs on as it was
   * @throws RollbackLostException if it failed half-way
   */
  public RollbackReport rollback(UUID id) throws IOException {
    return rollback(id, Outside.NONE);
  }

  /**
   * The same.
   *
   * @param outside what the daemon has of the sandbox
   */
  public synchronized RollbackReport rollback(UUID id, Outside outside) throws IOException {
    SnapshotState wanted = snapshot(id);
    return run(
        () -> {
          RollbackReport report = rollback(hold, wanted, outside);
          current = wanted;
          return report;
        });
  }

  /**
   * Tells what {@link #rollback} would do at this moment; the sandbox stands still for that, and
   * runs on as it was.
   *
   * @throws CaptureException if it would be refused
   */
  public synchronized RollbackPreview preview(UUID id) throws IOException {
    SnapshotState wanted = snapshot(id);
    return run(
        () -> {
          List<ProcessFacts> then = Processes.facts(wanted);
          CapturePhase.Hook none = CapturePhase.Hook.NONE;
          hold.window.freeze(DEADLINE_MILLIS);
          try {
            return new Rollback(hold, keeper.store(), wanted, then, none, Outside.NONE).preview();
          } finally {
            hold.tracer.thaw();
          }
        });
  }

  /**
   * Puts the sandbox back to a snapshot in a new container, whatever the old one is like; the old
   * one is let go of when that is done. After a failure nothing has changed here.
   *
   * @param target the new container, in which nothing runs but pid 1
   * @param outside what the daemon has of the sandbox
   */
  public synchronized RollbackReport rebuild(CaptureTarget target, UUID id, Outside outside)
      throws IOException {
    SnapshotState wanted = snapshot(id);
    Hold fresh = Hold.open(target, keeper);
    RollbackReport report = fill("rebuild", fresh, wanted, outside);
    Hold old = hold;
    synchronized (lineage) {
      hold = fresh;
      lineage.replaceAll((key, snapshot) -> fresh.files.over(snapshot));
      current = fresh.files.over(wanted);
    }
    old.close();
    return report;
  }

  /**
   * What the clocks of a container must be off by for a snapshot to go on in it from the moment it
   * was made.
   *
   * @return {@link ClockOffsets#NONE} if no process is there to read them
   */
  public static ClockOffsets clocksFor(Keeper keeper, UUID id) throws IOException {
    SnapshotState from = keeper.find(id);
    return ClockOffsets.goingOn(from.descriptors(), from.clocks());
  }

  /** The same for a snapshot that need not be in memory; only its records are read. */
  public static ClockOffsets clocksFor(CaptureSource from, UUID id) throws IOException {
    return SnapshotRecords.clocksFor(from, id);
  }

  /**
   * Makes a new sandbox from a snapshot of any other; it is the first of its lineage.
   *
   * @param target a container in which nothing runs but pid 1
   * @param keeper where the snapshot is
   * @param outside what the daemon has of the sandbox
   * @param check run when all is done and nothing runs yet, on the tracing thread; or null
   */
  public static CaptureEngine restore(
      CaptureTarget target, Keeper keeper, UUID id, Outside outside, @Nullable Runnable check)
      throws IOException {
    // Until the new engine refers to it, the snapshot must not be collected.
    keeper.using().lock();
    try {
      SnapshotState from = keeper.find(id);
      Hold hold = Hold.open(target, keeper);
      return restore(keeper, hold, hold.files.over(from), outside, check);
    } finally {
      keeper.using().unlock();
    }
  }

  /**
   * Makes a new sandbox from a snapshot that is not in memory: all of it is read before anything is
   * made. After a failure nothing of it is left in memory, and the container is the caller's to
   * end.
   *
   * @param target a container in which nothing runs but pid 1
   * @param keeper takes what is read; the snapshot is the first of the new sandbox's lineage
   * @param from where the snapshot is; borrowed for the call
   * @param outside what the daemon has of the sandbox
   * @param check run when all is done and nothing runs yet, on the tracing thread; or null
   * @throws KeeperFullException if there is no room for it
   * @throws CaptureException if the snapshot is not whole or cannot be restored here
   */
  public static CaptureEngine restore(
      CaptureTarget target,
      Keeper keeper,
      CaptureSource from,
      UUID id,
      Outside outside,
      @Nullable Runnable check)
      throws IOException {
    from.prefetch(id);
    CaptureEngine made = null;
    Hold hold = Hold.open(target, keeper);
    List<SnapshotState> read = new ArrayList<>();
    // Open until the new engine refers to what is taken in.
    try (KeeperSink to = new KeeperSink(keeper, hold.files, read::add)) {
      readWhole(hold, from, id, to);
      made = restore(keeper, hold, read.get(0), outside, check);
      return made;
    } catch (KeeperFullException e) {
      throw new KeeperFullException(keeper.bytesMax(), " (remove snapshots or raise the limit)");
    } finally {
      if (made == null) {
        keeper.collect();
      }
    }
  }

  /** The container's hold is closed after a failure. */
  private static void readWhole(Hold hold, CaptureSource from, UUID id, KeeperSink to)
      throws IOException {
    try {
      Transfer.whole(from, id, to);
    } catch (IOException | RuntimeException e) {
      hold.close();
      throw e;
    }
  }

  private static CaptureEngine restore(
      Keeper keeper, Hold hold, SnapshotState wanted, Outside outside, @Nullable Runnable check)
      throws IOException {
    CaptureEngine engine = new CaptureEngine(keeper, hold);
    engine.lineage.put(wanted.id(), wanted);
    engine.current = wanted;
    engine.whileStopped = check;
    keeper.using().lock();
    try {
      engine.fill("restore", hold, wanted, outside);
      keeper.add(engine.user);
    } finally {
      keeper.using().unlock();
    }
    return engine;
  }

  /** Fills an empty container; it is closed after a failure. */
  private RollbackReport fill(String tried, Hold fresh, SnapshotState wanted, Outside outside)
      throws IOException {
    keeper.using().lock();
    try {
      return fresh.tracer.run(
          () -> {
            BaseFiles.check(
                tried, fresh.tracer, fresh.target.initPid(), wanted.base(), fresh.target.files());
            return rollback(fresh, wanted, outside);
          });
    } catch (IOException | RuntimeException e) {
      fresh.close();
      throw e;
    } finally {
      keeper.using().unlock();
    }
  }

  private RollbackReport rollback(Hold on, SnapshotState wanted, Outside outside)
      throws IOException {
    Pace pace = on.tracer.pace();
    pace.begin();
    try {
      return rollbackPaced(on, wanted, outside);
    } finally {
      pace.end();
    }
  }

  private RollbackReport rollbackPaced(Hold on, SnapshotState wanted, Outside outside)
      throws IOException {
    List<ProcessFacts> then = Processes.facts(wanted);
    hook.enter(CapturePhase.ROLLBACK_FREEZE);
    on.tracer.pace().rest();
    on.window.freeze(DEADLINE_MILLIS);
    Rollback rollback = null;
    try {
      rollback = new Rollback(on, keeper.store(), wanted, then, hook, outside);
      RollbackReport report = rollback.run(whileStopped);
      on.tracer.pace().rest();
      on.layouts.clear();
      wanted
          .processes()
          .values()
          .forEach(p -> on.layouts.put(p.state().pid(), p.state().regions()));
      on.files.afterThaw();
      return report;
    } catch (IOException | RuntimeException e) {
      if (rollback != null && rollback.editing()) {
        throw new RollbackLostException(rollback.phase(), String.valueOf(e.getMessage()), e);
      }
      on.tracer.thaw();
      if (e instanceof CaptureException || !(e instanceof IOException)) {
        throw e;
      }
      throw new CaptureException("rollback failed, the sandbox runs on: " + e.getMessage(), e);
    }
  }

  /** The snapshot the sandbox was last saved as or put back to, or null. */
  public synchronized @Nullable UUID current() {
    return current == null ? null : current.id();
  }

  /** Ids of the snapshots kept, oldest first. */
  public synchronized List<UUID> snapshots() {
    synchronized (lineage) {
      return new ArrayList<>(lineage.keySet());
    }
  }

  /** What differs between the processes of two snapshots, by number inside. */
  public synchronized List<ProcessDifference> processDifferences(UUID from, UUID to)
      throws CaptureException {
    return Differences.processes(snapshot(from), snapshot(to));
  }

  /** What differs between the files of two snapshots. */
  public synchronized List<FileChange> fileDifferences(UUID from, UUID to) throws CaptureException {
    return FilesPart.changes(snapshot(from), snapshot(to));
  }

  /** Processes inside at a snapshot, by their number inside. */
  public synchronized Set<Integer> processesOf(UUID id) throws CaptureException {
    return Set.copyOf(snapshot(id).processes().keySet());
  }

  /** Forgets a snapshot; what other snapshots and the running sandbox need of it stays. */
  public synchronized void remove(UUID id) throws CaptureException {
    snapshot(id);
    synchronized (lineage) {
      lineage.remove(id);
    }
    keeper.collect();
  }

  /** Where the snapshots are kept. */
  public Keeper keeper() {
    return keeper;
  }

  /** The sandbox this engine works on. */
  public CaptureTarget target() {
    return hold.target;
  }

  @Override
  public void close() {
    close(Set.of());
  }

  /**
   * Ends the work on this sandbox.
   *
   * @param outliving snapshots that are kept without it
   */
  public synchronized void close(Set<UUID> outliving) {
    List<SnapshotState> kept = new ArrayList<>();
    synchronized (lineage) {
      lineage.keySet().retainAll(outliving);
      kept.addAll(lineage.values());
    }
    hold.close();
    keeper.remove(user, kept);
  }
}
