package io.deltabox;

import io.deltabox.capture.CaptureEngine;
import io.deltabox.capture.CaptureException;
import io.deltabox.capture.CaptureTarget;
import io.deltabox.capture.CheckpointReport;
import io.deltabox.capture.ProcessDifference;
import io.deltabox.capture.RollbackLostException;
import io.deltabox.capture.RollbackReport;
import io.deltabox.capture.WindowTimes;
import io.deltabox.capture.files.FileChange;
import io.deltabox.check.CheckSession;
import io.deltabox.check.Difference;
import io.deltabox.check.Scope;
import java.io.IOException;
import java.time.Clock;
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
 * The state of one sandbox, kept by its capture engine. Called by the sandbox, one call at a time.
 */
final class CapturedState implements SandboxState {
  private final Id sandbox;
  private final SandboxHost host;
  private final Commands commands;
  private final CaptureEngine engine;
  private final Clock clock;
  private final Map<UUID, Snapshot> snapshots = new LinkedHashMap<>();
  private final Map<UUID, Set<Integer>> captured = new HashMap<>();
  private @Nullable CheckSession check;
  private @Nullable Id left;

  private CapturedState(
      Id sandbox, SandboxHost host, Commands commands, CaptureEngine engine, Clock clock) {
    this.sandbox = sandbox;
    this.host = host;
    this.commands = commands;
    this.engine = engine;
    this.clock = clock;
  }

  static CapturedState open(
      Id sandbox, SandboxHost host, Commands commands, Sandbox.Services services)
      throws IOException {
    CaptureTarget target =
        new CaptureTarget(
            sandbox.brief(),
            host.initPid(),
            host.engineChannel(),
            host.fileLayout(),
            services.without());
    CaptureEngine engine = CaptureEngine.open(target, services.keeper());
    return new CapturedState(sandbox, host, commands, engine, services.clock());
  }

  @Override
  public void checking(boolean on) {
    if (!on) {
      check = null;
    } else if (check == null) {
      Scope scope =
          Scope.writable().withScratch(CaptureEngine.SCRATCH_ADDRESS, CaptureEngine.SCRATCH_BYTES);
      check = new CheckSession(host.initPid(), scope);
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
    Set<Integer> running = commands.capture();
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
    CommandBirths births =
        new CommandBirths(commands, host.cgroups(), captured.getOrDefault(uuid(target), Set.of()));
    try {
      report = engine.rollback(uuid(target), births);
    } catch (RollbackLostException e) {
      host.kill();
      throw new SandboxClosedException("the sandbox has been ended: " + e.getMessage(), e);
    } finally {
      births.close();
    }
    Commands.RollbackOutcome outcome =
        commands.afterRollback(
            captured.getOrDefault(uuid(target), Set.of()),
            engine.processesOf(uuid(target)),
            report.processesEnded() > 0 || report.processesMade() > 0);
    failure.rethrow();
    if (!found.isEmpty()) {
      throw CheckSession.failure(key, found);
    }
    return result(snapshot, kept, notKept, report, outcome, System.nanoTime() - start);
  }

  private static RollbackResult result(
      Snapshot snapshot,
      @Nullable Snapshot kept,
      @Nullable String notKept,
      RollbackReport report,
      Commands.RollbackOutcome outcome,
      long callNanos) {
    return new RollbackResult(
        snapshot,
        kept,
        notKept,
        report.pauseNanos(),
        callNanos,
        report.phases().byName(),
        report.pagesWritten(),
        report.filesChanged(),
        report.processesEnded(),
        report.processesMade(),
        outcome.rolledBack(),
        outcome.goesOn());
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
  public void close() {
    engine.close();
  }

  private static UUID uuid(Id id) {
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
