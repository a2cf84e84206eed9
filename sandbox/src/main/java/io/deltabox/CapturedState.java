package io.deltabox;

import io.deltabox.capture.CaptureEngine;
import io.deltabox.capture.CaptureException;
import io.deltabox.capture.CaptureSource;
import io.deltabox.capture.CaptureTarget;
import io.deltabox.capture.CheckpointReport;
import io.deltabox.capture.Keeper;
import io.deltabox.capture.ProcessDifference;
import io.deltabox.capture.RollbackLostException;
import io.deltabox.capture.RollbackPreview;
import io.deltabox.capture.RollbackReport;
import io.deltabox.capture.WindowTimes;
import io.deltabox.capture.descriptors.Devices;
import io.deltabox.capture.files.FileChange;
import io.deltabox.check.CheckSession;
import io.deltabox.check.Difference;
import io.deltabox.check.Scope;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The state of one sandbox, kept by its capture engine. Called by the sandbox, one call at a time.
 */
final class CapturedState implements SandboxState {
  /**
   * Where a sandbox belongs.
   *
   * @param spec what it was made from
   */
  record Place(
      Id sandbox,
      SandboxSpec spec,
      Commands commands,
      Sandbox.Services services,
      Containers containers) {}

  private static final Random RANDOM = new SecureRandom();

  private final Place place;
  private final Id sandbox;
  private final Commands commands;
  private final CaptureEngine engine;
  private final Clock clock;
  private final Map<UUID, Snapshot> snapshots = new LinkedHashMap<>();
  private final Map<UUID, List<CapturedExec>> captured = new HashMap<>();
  private SandboxHost host;
  private @Nullable CheckSession check;
  private @Nullable Id left;

  private CapturedState(Place place, SandboxHost host, CaptureEngine engine) {
    this.place = place;
    this.sandbox = place.sandbox();
    this.commands = place.commands();
    this.clock = place.services().clock();
    this.host = host;
    this.engine = engine;
  }

  static CapturedState open(Place place, SandboxHost host) throws IOException {
    return new CapturedState(
        place, host, CaptureEngine.open(target(place, host), place.services().keeper()));
  }

  private static CaptureTarget target(Place place, SandboxHost host) {
    return new CaptureTarget(
        place.sandbox().brief(),
        host.initPid(),
        host.engineChannel(),
        host.fileLayout(),
        host.clocks(),
        Devices.of(RANDOM),
        place.services().without());
  }

  /** A sandbox made of a snapshot in an empty container. */
  static CapturedState restore(Place place, SandboxHost host, RestorePoint from)
      throws IOException {
    Commands commands = place.commands();
    commands.revive(from.commands());
    UUID id = uuid(from.snapshot().id());
    Set<Integer> running = ids(from.commands());
    String key = from.snapshot().id().toString();
    CheckSession images = from.check();
    CheckSession check = null;
    if (images != null) {
      check = new CheckSession(host.initPid(), images.scope());
      check.adopt(images, key);
    }
    CheckSession session = check;
    List<Difference> found = new ArrayList<>();
    Failure failure = new Failure();
    CaptureEngine engine;
    Runnable compare =
        session == null ? null : () -> failure.run(() -> found.addAll(session.compare(key)));
    try (CommandsOutside outside = new CommandsOutside(commands, host.cgroups(), running)) {
      CaptureTarget target = target(place, host);
      Keeper keeper = place.services().keeper();
      CaptureSource source = from.source();
      engine =
          source == null
              ? CaptureEngine.restore(target, keeper, id, outside, compare)
              : CaptureEngine.restore(target, keeper, source, id, outside, compare);
    } finally {
      commands.closeRevived();
    }
    CapturedState state = new CapturedState(place, host, engine);
    state.check = check;
    state.snapshots.put(id, from.snapshot());
    state.captured.put(id, from.commands());
    commands.afterRollback(running, engine.processesOf(id), /* told= */ true);
    try {
      failure.rethrow();
      if (!found.isEmpty()) {
        throw CheckSession.failure(key, found);
      }
    } catch (IOException | RuntimeException e) {
      engine.close();
      throw e;
    }
    return state;
  }

  private Set<Integer> commandsOf(Id snapshot) {
    return ids(captured.getOrDefault(uuid(snapshot), List.of()));
  }

  private static CheckSession checkSession(SandboxHost host, List<String> basePaths) {
    Scope scope =
        Scope.writable()
            .alsoWith(basePaths)
            .withScratch(CaptureEngine.SCRATCH_ADDRESS, CaptureEngine.SCRATCH_BYTES);
    return new CheckSession(host.initPid(), scope);
  }

  private static Set<Integer> ids(List<CapturedExec> commands) {
    Set<Integer> ids = new HashSet<>();
    commands.forEach(command -> ids.add(command.id()));
    return ids;
  }

  @Override
  public @Nullable RestorePoint restorePoint(Id snapshot) {
    Snapshot found = snapshots.get(uuid(snapshot));
    return found == null
        ? null
        : new RestorePoint(
            found,
            place.spec(),
            captured.getOrDefault(uuid(snapshot), List.of()),
            checked(snapshot) ? check : null,
            null);
  }

  @Override
  public void checking(@Nullable List<String> basePaths) {
    if (basePaths == null) {
      check = null;
    } else if (check == null) {
      check = checkSession(host, basePaths);
    }
  }

  @Override
  public CaptureEngine engine() {
    return engine;
  }

  @Override
  public boolean checked(Id snapshot) {
    return check != null && check.knows(snapshot.toString());
  }

  @Override
  public void onPhase(io.deltabox.capture.CapturePhase.Hook hook) {
    engine.onPhase(hook);
  }

  @Override
  public void prepare() throws IOException {
    engine.prepare();
  }

  @Override
  public Snapshot checkpoint(@Nullable String name) throws IOException {
    return checkpoint(name, /* leftByRollback= */ false);
  }

  private Snapshot checkpoint(@Nullable String name, boolean leftByRollback) throws IOException {
    long start = System.nanoTime();
    Id id = Id.make(clock.instant());
    List<CapturedExec> running = commands.captured(commands.capture());
    CheckSession session = check;
    Failure failure = new Failure();
    engine.whileStopped(
        session == null ? null : () -> failure.run(() -> session.captured(id.toString())));
    CheckpointReport report = engine.checkpoint(uuid(id));
    failure.rethrow();
    Snapshot made =
        report.unchanged()
            ? again(report, session, id, name)
            : snapshot(id, name, report, start, leftByRollback);
    snapshots.replaceAll(
        (key, old) -> name != null && name.equals(old.name()) ? old.named(null) : old);
    snapshots.put(uuid(made.id()), made);
    captured.put(uuid(made.id()), running);
    return made;
  }

  private Snapshot again(
      CheckpointReport report, @Nullable CheckSession session, Id tried, @Nullable String name) {
    Snapshot parent = known(report.id());
    if (session != null) {
      session.rename(tried.toString(), parent.id().toString());
    }
    return (name == null ? parent : parent.named(name)).unchangedSince();
  }

  private Snapshot known(UUID id) {
    Snapshot found = snapshots.get(id);
    if (found == null) {
      throw new IllegalStateException("engine names a snapshot nobody made: id=" + id);
    }
    return found;
  }

  private Snapshot snapshot(
      Id id, @Nullable String name, CheckpointReport report, long start, boolean leftByRollback) {
    WindowTimes times = report.times();
    Map<String, Long> phases = new LinkedHashMap<>();
    phases.put("stop", times.stop());
    phases.put("registers", times.registers());
    phases.put("scan", times.scan());
    phases.put("copy", times.copy());
    phases.put("descriptors", times.descriptors());
    phases.put("files", times.files());
    phases.put("resume", times.resume());
    CheckpointStats stats =
        new CheckpointStats(
            times.total(),
            System.nanoTime() - start,
            phases,
            report.processes(),
            report.threads(),
            report.pagesCopied(),
            report.filesChanged(),
            report.bytesKept());
    UUID parent = report.parent();
    return new Snapshot(
        id, sandbox, name, parent == null ? null : id(parent), stats, false, leftByRollback);
  }

  @Override
  public @Nullable Id left() {
    return left != null && snapshots.containsKey(uuid(left)) ? left : null;
  }

  @Override
  public RollbackResult rollback(Id target, Undo undo) throws IOException {
    long start = System.nanoTime();
    Snapshot snapshot = known(uuid(target));
    Snapshot kept = null;
    String notKept = null;
    if (undo == Undo.KEEP) {
      try {
        kept = checkpoint(null, /* leftByRollback= */ true);
      } catch (CaptureException e) {
        notKept = e.getMessage();
      }
    }
    RollbackResult result = rollback(snapshot, kept, notKept, start);
    left = kept == null ? null : kept.id();
    dropUnneeded();
    return result;
  }

  @Override
  public RollbackPlan plan(Id target) throws IOException {
    Snapshot snapshot = known(uuid(target));
    RollbackPreview preview = engine.preview(uuid(target));
    List<RollbackPlan.Step> steps = new ArrayList<>();
    for (RollbackPreview.Step one : preview.steps()) {
      steps.add(
          new RollbackPlan.Step(
              one.pid(),
              one.name(),
              RollbackPlan.Action.valueOf(one.action().name()),
              one.reason(),
              one.pages(),
              one.threadsEnded(),
              one.threadsMade()));
    }
    return new RollbackPlan(
        snapshot,
        steps,
        preview.processesEnded(),
        preview.processesMade(),
        preview.files().stream().map(CapturedState::fileChange).toList());
  }

  /** What earlier rollbacks left goes, unless somebody built on it or gave it a name. */
  private void dropUnneeded() throws IOException {
    Set<@Nullable Id> needed = new HashSet<>();
    needed.add(left);
    needed.add(current());
    snapshots.values().forEach(snapshot -> needed.add(snapshot.parent()));
    for (Snapshot snapshot : List.copyOf(snapshots.values())) {
      if (snapshot.leftByRollback() && snapshot.name() == null && !needed.contains(snapshot.id())) {
        remove(snapshot.id());
      }
    }
  }

  private RollbackResult rollback(
      Snapshot snapshot, @Nullable Snapshot kept, @Nullable String notKept, long start)
      throws IOException {
    Id target = snapshot.id();
    CheckSession session = check;
    Failure failure = new Failure();
    List<Difference> found = new ArrayList<>();
    String key = target.toString();
    boolean compare = session != null && session.knows(key);
    engine.whileStopped(
        session != null && compare
            ? () -> failure.run(() -> found.addAll(session.compare(key)))
            : null);
    RollbackReport report;
    String rebuiltBecause = null;
    try (CommandsOutside outside =
        new CommandsOutside(commands, host.cgroups(), commandsOf(target))) {
      report = engine.rollback(uuid(target), outside);
    } catch (RollbackLostException e) {
      report = rebuild(target, e);
      rebuiltBecause = e.reason();
    }
    Commands.RollbackOutcome outcome =
        commands.afterRollback(
            commandsOf(target),
            engine.processesOf(uuid(target)),
            report.processesEnded() > 0 || report.processesMade() > 0);
    failure.rethrow();
    if (!found.isEmpty()) {
      throw CheckSession.failure(key, found);
    }
    return result(
        snapshot, kept, notKept, rebuiltBecause, report, outcome, System.nanoTime() - start);
  }

  /**
   * The way out of a rollback that failed half-way: the target whole, in a new container. What is
   * left of the old one must not run another instruction: it is neither what it was nor what it
   * should be.
   */
  private RollbackReport rebuild(Id target, RollbackLostException failure) throws IOException {
    commands.leave();
    host.kill();
    SandboxHost next = null;
    try {
      next = place.containers().like(host);
      if (check != null) {
        check.moved(next.initPid());
      }
      RollbackReport report;
      try (CommandsOutside outside =
          new CommandsOutside(commands, next.cgroups(), commandsOf(target))) {
        report = engine.rebuild(target(place, next), uuid(target), outside);
      }
      commands.enter(next);
      SandboxHost old = host;
      host = next;
      place.containers().moved(next);
      old.close();
      return report;
    } catch (IOException | RuntimeException e) {
      e.addSuppressed(failure);
      if (next != null && next != host) {
        next.close();
      }
      commands.end();
      throw new SandboxClosedException(
          "the sandbox has been ended: "
              + failure.getMessage()
              + ", and building it anew failed: "
              + e.getMessage(),
          e);
    }
  }

  private static RollbackResult result(
      Snapshot snapshot,
      @Nullable Snapshot kept,
      @Nullable String notKept,
      @Nullable String rebuiltBecause,
      RollbackReport report,
      Commands.RollbackOutcome outcome,
      long callNanos) {
    return new RollbackResult(
        snapshot,
        kept,
        notKept,
        rebuiltBecause,
        report.pauseNanos(),
        callNanos,
        report.phases().byName(),
        report.pagesWritten(),
        report.filesChanged(),
        report.processesEnded(),
        report.processesMade(),
        outcome.rolledBack(),
        outcome.goesOn(),
        report.injected());
  }

  @Override
  public List<Snapshot> snapshots() {
    return List.copyOf(snapshots.values());
  }

  @Override
  public @Nullable Id current() {
    UUID current = engine.current();
    return current == null ? null : id(current);
  }

  @Override
  public SnapshotDiff diff(Id from, Id to) throws IOException {
    List<SnapshotDiff.ProcessChange> processes = new ArrayList<>();
    for (ProcessDifference one : engine.processDifferences(uuid(from), uuid(to))) {
      SnapshotDiff.Kind kind =
          switch (one.kind()) {
            case ADDED -> SnapshotDiff.Kind.ADDED;
            case REMOVED -> SnapshotDiff.Kind.REMOVED;
            case CHANGED -> SnapshotDiff.Kind.CHANGED;
          };
      processes.add(new SnapshotDiff.ProcessChange(one.pid(), one.name(), kind, one.pages()));
    }
    List<SnapshotDiff.FileChange> files = new ArrayList<>();
    for (FileChange one : engine.fileDifferences(uuid(from), uuid(to))) {
      files.add(fileChange(one));
    }
    return new SnapshotDiff(files, processes);
  }

  private static SnapshotDiff.FileChange fileChange(FileChange change) {
    SnapshotDiff.Kind kind =
        switch (change.kind()) {
          case ADDED -> SnapshotDiff.Kind.ADDED;
          case REMOVED -> SnapshotDiff.Kind.REMOVED;
          case MODIFIED, ATTRIBUTES, MOVED -> SnapshotDiff.Kind.CHANGED;
        };
    String detail =
        switch (change.kind()) {
          case ADDED, REMOVED -> change.directory() ? "directory" : "file";
          case MODIFIED -> "content";
          case ATTRIBUTES -> "attributes";
          case MOVED -> "moved from /" + change.from();
        };
    return new SnapshotDiff.FileChange("/" + change.readablePath(), kind, detail);
  }

  @Override
  public void remove(Id snapshot) throws IOException {
    engine.remove(uuid(snapshot));
    snapshots.remove(uuid(snapshot));
    captured.remove(uuid(snapshot));
    if (check != null) {
      check.forget(snapshot.toString());
    }
  }

  @Override
  public List<RestorePoint> end() {
    List<RestorePoint> outliving = new ArrayList<>();
    Set<UUID> kept = new HashSet<>();
    for (Snapshot snapshot : snapshots.values()) {
      RestorePoint point = snapshot.name() == null ? null : restorePoint(snapshot.id());
      if (point != null) {
        outliving.add(point);
        kept.add(uuid(snapshot.id()));
      }
    }
    engine.close(kept);
    return outliving;
  }

  @Override
  public void close() {
    engine.close();
  }

  static UUID uuid(Id id) {
    return new UUID(id.time(), id.random());
  }

  private static Id id(UUID uuid) {
    return new Id(uuid.getMostSignificantBits(), uuid.getLeastSignificantBits());
  }

  /** Work for the tracing thread that may fail, and its failure brought back. */
  private static final class Failure {
    private @Nullable IOException failure;

    interface Work {
      void run() throws IOException;
    }

    void run(Work work) {
      try {
        work.run();
      } catch (IOException e) {
        failure = e;
      }
    }

    void rethrow() throws IOException {
      if (failure != null) {
        throw failure;
      }
    }
  }
}
