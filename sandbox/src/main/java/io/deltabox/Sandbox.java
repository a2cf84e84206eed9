package io.deltabox;

import io.deltabox.capture.CaptureEngine;
import io.deltabox.capture.CapturePhase;
import io.deltabox.capture.Keeper;
import io.deltabox.linux.OptionalFeature;
import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A running, isolated tree of processes with its files. Made by {@link DeltaBox#create}. It ends
 * with {@link #close}, with its box and with this process. Thread-safe; a checkpoint or rollback
 * waits for commands that are just being started and the other way round.
 */
public final class Sandbox implements AutoCloseable {
  private final Id id;
  private final SandboxSpec spec;
  private volatile @Nullable Parts parts;
  private final ReentrantReadWriteLock startOrCapture = new ReentrantReadWriteLock(true);
  private final AtomicBoolean closed = new AtomicBoolean();
  private final CountDownLatch closeDone = new CountDownLatch(1);

  /** What a box lends to its sandboxes. */
  record Services(
      IoLoop loop,
      ScheduledExecutorService timer,
      Clock clock,
      Keeper keeper,
      Set<OptionalFeature> without,
      Runnable whenClosed,
      List<String> notices,
      Replacement replacement,
      Consumer<List<RestorePoint>> outliving,
      Accounts accounts) {}

  /** Makes an empty container like another one. */
  interface Replacement {
    SandboxHost like(SandboxHost old) throws IOException;
  }

  private record Parts(
      SandboxHost host, Commands commands, OpeningState state, Services services) {}

  private Sandbox(Id id, SandboxSpec spec, @Nullable Parts parts) {
    this.id = id;
    this.spec = spec;
    this.parts = parts;
  }

  /** Holds the place of one that is being made. */
  static Sandbox reserved(Id id, SandboxSpec spec) {
    return new Sandbox(id, spec, null);
  }

  /**
   * Takes ownership of the host, also on failure.
   *
   * @param from what the sandbox is made of; null for an empty one
   */
  static Sandbox of(
      Id id, SandboxSpec spec, SandboxHost host, Services services, @Nullable RestorePoint from)
      throws IOException {
    AtomicReference<@Nullable Sandbox> self = new AtomicReference<>();
    Commands commands = null;
    try {
      commands =
          new Commands(
              host, services.loop(), services.timer(), services.clock(), () -> closeLater(self));
      Commands those = commands;
      OpeningState state =
          new OpeningState(
              () ->
                  SandboxStates.open(
                      id, spec, host, those, services, containers(services, self), from),
              from == null ? "this sandbox cannot be checkpointed: " : "");
      Sandbox sandbox = new Sandbox(id, spec, new Parts(host, commands, state, services));
      self.set(sandbox);
      if (from != null) {
        waitForState(sandbox, state);
      }
      if (commands.gone()) {
        sandbox.close();
      }
      return sandbox;
    } catch (IOException | RuntimeException e) {
      if (commands != null) {
        commands.close();
      }
      host.close();
      throw e;
    }
  }

  /** A sandbox made of a snapshot is there when its processes are. */
  private static void waitForState(Sandbox sandbox, OpeningState state) throws IOException {
    try {
      state.get();
    } catch (IOException | RuntimeException e) {
      sandbox.close();
      throw e;
    }
  }

  private static Containers containers(Services services, AtomicReference<@Nullable Sandbox> self) {
    return new Containers() {
      @Override
      public SandboxHost like(SandboxHost old) throws IOException {
        return services.replacement().like(old);
      }

      @Override
      public void moved(SandboxHost next) {
        Sandbox sandbox = self.get();
        Parts before = sandbox == null ? null : sandbox.parts;
        if (sandbox != null && before != null) {
          sandbox.parts = new Parts(next, before.commands(), before.state(), services);
        }
      }
    };
  }

  /** Pid 1 has died by itself: the rest goes too, on a thread that may wait. */
  private static void closeLater(AtomicReference<@Nullable Sandbox> self) {
    Sandbox sandbox = self.get();
    if (sandbox != null && !sandbox.closed.get()) {
      Thread thread = new Thread(sandbox::close, "deltabox-end");
      thread.setDaemon(true);
      thread.start();
    }
  }

  private Parts parts() throws SandboxClosedException {
    Parts now = parts;
    if (now == null || closed.get() || now.commands().gone()) {
      throw new SandboxClosedException("the sandbox has ended: sandbox=" + id.brief());
    }
    return now;
  }

  public Id id() {
    return id;
  }

  /** Its name, or null. */
  public @Nullable String name() {
    return spec.name();
  }

  /** What it was made from. */
  public SandboxSpec spec() {
    return spec;
  }

  /** When it was made. */
  public Instant time() {
    return id.instant();
  }

  /** False once it has ended, by itself or by {@link #close}. */
  public boolean running() {
    Parts now = parts;
    return now != null && !closed.get() && !now.commands().gone();
  }

  /** Things a user should know that hold for this sandbox on this machine: one line each. */
  public List<String> notices() {
    Parts now = parts;
    return now == null ? List.of() : now.services().notices();
  }

  /**
   * Starts a command.
   *
   * @throws InvalidRequestException if a value of {@code spec} cannot be meant
   * @throws StartException if the command cannot be started; nothing of it ran
   * @throws SandboxClosedException if the sandbox has ended
   */
  public Exec start(ExecSpec spec) throws IOException {
    return start(spec, !spec.background());
  }

  private RunningExec start(ExecSpec spec, boolean lossless) throws IOException {
    Checks.exec(spec);
    startOrCapture.readLock().lock();
    try {
      Parts now = parts();
      Accounts accounts = now.services().accounts();
      return now.commands().start(spec, Environment.of(this.spec, accounts, spec), lossless);
    } finally {
      startOrCapture.readLock().unlock();
    }
  }

  /** Runs a command without input as root and waits for its end. */
  public ExecResult exec(String... argv) throws IOException, InterruptedException {
    return exec(ExecSpec.builder(argv).stdin(ExecSpec.Stdin.NONE).build());
  }

  /**
   * Runs a command and waits for its end; its input is closed at once. The last {@link
   * Exec#OUTPUT_KEPT_MAX} bytes of each stream are returned, however much it writes.
   */
  public ExecResult exec(ExecSpec spec) throws IOException, InterruptedException {
    RunningExec exec = start(spec, /* lossless= */ false);
    if (spec.tty() == null) {
      exec.stdin().close();
    }
    exec.waitFor();
    return exec.result();
  }

  /**
   * A command by its id.
   *
   * @throws NotFoundException if there is none, or if it ended so long ago that it is forgotten
   */
  public Exec exec(int execId) throws SandboxException {
    Parts now = parts;
    RunningExec exec = now == null ? null : now.commands().get(execId);
    if (exec == null) {
      throw new NotFoundException(
          "no such command: id="
              + execId
              + " sandbox="
              + id.brief()
              + " (see them with 'deltabox ps "
              + id.brief()
              + "')");
    }
    return exec;
  }

  /** Running commands and the latest finished ones, by id. */
  public List<Exec> execs() {
    Parts now = parts;
    return now == null ? List.of() : List.copyOf(now.commands().all());
  }

  /** What runs inside at this moment, by pid; the list may be torn while processes come and go. */
  public List<ProcessInfo> processes() throws IOException {
    return ProcFiles.below(parts().host().initPid());
  }

  /**
   * With {@code on}, each checkpoint also takes an image of everything with a reader that shares no
   * code with the capture, and each rollback to such a snapshot is compared with it before anything
   * runs again; {@link io.deltabox.check.CheckFailedException} tells the differences. Slow: for
   * tests and for proving a program. Of the directories of the base (/usr, /bin, /sbin, /lib...) it
   * reads what {@link #checking(List)} names.
   */
  public void checking(boolean on) throws IOException {
    check(on ? List.of() : null);
  }

  /**
   * Begins to check, and compares files of the base too.
   *
   * @param basePaths absolute, each read with all that is below it
   */
  public void checking(List<String> basePaths) throws IOException {
    check(List.copyOf(basePaths));
  }

  private void check(@Nullable List<String> basePaths) throws IOException {
    alone(
        state -> {
          state.checking(basePaths);
          return true;
        });
  }

  /** For the store's adapter: the seam through which snapshots leave and come back. */
  CaptureEngine engine() throws IOException {
    return alone(SandboxState::engine);
  }

  /** Whether a rollback to this snapshot is checked: it was made while {@link #checking}. */
  public boolean checked(Snapshot snapshot) throws IOException {
    return alone(state -> state.checked(snapshot.id()));
  }

  /** Lets a test break any phase of a checkpoint or rollback. */
  public void onPhase(CapturePhase.Hook hook) throws IOException {
    alone(
        state -> {
          state.onPhase(hook);
          return true;
        });
  }

  /**
   * Copies ahead what changed since the last checkpoint while everything runs, so that the next
   * checkpoint's pause is short. Never needed for correctness.
   */
  public void prepare() throws IOException {
    alone(
        state -> {
          state.prepare();
          return true;
        });
  }

  /** Same as {@code checkpoint(null)}. */
  public Snapshot checkpoint() throws IOException {
    return checkpoint(null);
  }

  /**
   * Makes a snapshot of all processes and files. After a failure the sandbox runs on as before and
   * nothing is lost for the next checkpoint.
   *
   * @param name label, unique in the sandbox; moved here when another snapshot had it; or null
   */
  public Snapshot checkpoint(@Nullable String name) throws IOException {
    Checks.name("snapshot", name);
    return alone(state -> state.checkpoint(name));
  }

  /** Puts the sandbox back to a snapshot of its lineage; {@link #undo} takes it back. */
  public RollbackResult rollback(Snapshot snapshot) throws IOException {
    return rollback(snapshot.id().toString(), Undo.KEEP);
  }

  /**
   * Puts the sandbox back to a snapshot of its lineage; {@link #undo} takes it back.
   *
   * @param snapshot as {@link #snapshot} takes it
   */
  public RollbackResult rollback(String snapshot) throws IOException {
    return rollback(snapshot, Undo.KEEP);
  }

  /**
   * Puts the sandbox back to a snapshot of its lineage.
   *
   * @param snapshot as {@link #snapshot} takes it
   * @param undo whether what is left is kept; if that fails, the rollback goes on and its result
   *     says why
   */
  public RollbackResult rollback(String snapshot, Undo undo) throws IOException {
    return alone(state -> state.rollback(snapshot(snapshot).id(), undo));
  }

  /**
   * Tells what {@link #rollback(String)} would do at this moment, process by process, and touches
   * nothing. Everything inside stands still meanwhile as in a checkpoint, and runs on.
   *
   * @param snapshot as {@link #snapshot} takes it
   * @throws io.deltabox.capture.CaptureException with the words of the rollback, if that would be
   *     refused
   */
  public RollbackPlan planRollback(String snapshot) throws IOException {
    return alone(state -> state.plan(snapshot(snapshot).id()));
  }

  /**
   * Takes the last rollback back; once more takes that back.
   *
   * @throws NotFoundException if there was none, or if what it left was not kept
   */
  public RollbackResult undo() throws IOException {
    return alone(
        state -> {
          Id left = state.left();
          if (left == null) {
            throw new NotFoundException(
                "no rollback to undo: sandbox="
                    + id.brief()
                    + " (none was made, or what it left was not kept)");
          }
          return state.rollback(left, Undo.KEEP);
        });
  }

  /** A use of the state that must see no command being started. */
  private interface StateUse<T> {
    T apply(SandboxState state) throws IOException;
  }

  private <T> T alone(StateUse<T> use) throws IOException {
    startOrCapture.writeLock().lock();
    try {
      return use.apply(parts().state().get());
    } finally {
      startOrCapture.writeLock().unlock();
    }
  }

  /**
   * Finds a snapshot of this sandbox.
   *
   * @param wanted full id, a prefix of at least {@value DeltaBox#PREFIX_MIN} characters, name, or
   *     {@code @-N} for the N-th before the current one ({@code @-0} is the current one)
   */
  public Snapshot snapshot(String wanted) throws IOException {
    if (wanted.matches("@-[0-9]{1,9}")) {
      List<Snapshot> lineage = lineage();
      int back = Integer.parseInt(wanted.substring(2));
      if (back >= lineage.size()) {
        throw new NotFoundException(
            "no such snapshot: "
                + Text.quote(wanted)
                + ", the lineage has "
                + lineage.size()
                + " snapshots (see them with 'deltabox log "
                + id.brief()
                + "')");
      }
      return lineage.get(back);
    }
    return Lookup.find(
        "snapshot",
        wanted,
        snapshots(),
        s -> s.id().toString(),
        Snapshot::name,
        "deltabox log " + id.brief());
  }

  /** What a sandbox can be made of; null for a snapshot that is not of this lineage. */
  @Nullable RestorePoint restorePoint(Snapshot snapshot) throws IOException {
    List<RestorePoint> found = new ArrayList<>();
    alone(
        state -> {
          RestorePoint point = state.restorePoint(snapshot.id());
          return point != null && found.add(point);
        });
    return found.isEmpty() ? null : found.get(0);
  }

  /** All snapshots kept, oldest first. */
  public List<Snapshot> snapshots() throws IOException {
    return parts().state().get().snapshots();
  }

  /** The current snapshot and those before it, newest first. */
  public List<Snapshot> lineage() throws IOException {
    Map<Id, Snapshot> byId = new HashMap<>();
    snapshots().forEach(s -> byId.put(s.id(), s));
    List<Snapshot> lineage = new ArrayList<>();
    Id next = parts().state().get().current();
    while (next != null) {
      Snapshot snapshot = byId.get(next);
      next = null;
      if (snapshot != null) {
        lineage.add(snapshot);
        next = snapshot.parent();
      }
    }
    return lineage;
  }

  /** The snapshot the sandbox was last saved as or put back to, or null before the first. */
  public @Nullable Snapshot current() throws IOException {
    List<Snapshot> lineage = lineage();
    return lineage.isEmpty() ? null : lineage.get(0);
  }

  /** What changed from one snapshot to another; both as {@link #snapshot} takes them. */
  public SnapshotDiff diff(String from, String to) throws IOException {
    return alone(state -> state.diff(snapshot(from).id(), snapshot(to).id()));
  }

  /** Forgets a snapshot; what other snapshots need of it stays. */
  public void remove(String snapshot) throws IOException {
    alone(
        state -> {
          Id wanted = snapshot(snapshot).id();
          state.remove(wanted);
          return wanted;
        });
  }

  /** Begins its end without waiting. */
  void kill() {
    Parts now = parts;
    if (now != null && !closed.get()) {
      now.host().kill();
    }
  }

  /**
   * Kills everything inside and forgets its files and snapshots; those that have a name are kept by
   * the box. When it returns nothing runs any more. Idempotent.
   */
  @Override
  public void close() {
    Parts now = parts;
    if (now == null) {
      return;
    }
    if (!closed.compareAndSet(false, true)) {
      awaitClosed();
      return;
    }
    try {
      now.host().kill();
      now.commands().close();
      closeParts(now);
    } finally {
      now.services().whenClosed().run();
      closeDone.countDown();
    }
  }

  /** What is under way fails now that everything inside is dead; it must be out first. */
  private void closeParts(Parts last) {
    startOrCapture.writeLock().lock();
    try {
      // A rollback that was under way may have put it into another container meanwhile.
      Parts now = parts == null ? last : parts;
      now.host().kill();
      last.services().outliving().accept(last.state().end());
      now.host().close();
    } finally {
      startOrCapture.writeLock().unlock();
    }
  }

  private void awaitClosed() {
    try {
      closeDone.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public String toString() {
    return "sandbox " + id.brief() + (name() == null ? "" : " " + name());
  }
}
