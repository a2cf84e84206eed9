package io.deltabox;

import io.deltabox.capture.CaptureEngine;
import io.deltabox.capture.CaptureSource;
import io.deltabox.capture.ClockOffsets;
import io.deltabox.capture.Keeper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A box of sandboxes: makes, finds and ends them. All of them end with it and with this process.
 * Thread-safe.
 */
public final class DeltaBox implements AutoCloseable {
  /** Characters of an id a prefix must have at least. */
  public static final int PREFIX_MIN = 6;

  private final DeltaBoxConfig config;
  private final Clock clock = Clock.systemUTC();
  private final Cgroups cgroups;
  private final Keeper keeper;
  private final IoLoop loop;
  private final ScheduledThreadPoolExecutor timer;
  private final Object lock = new Object();
  // Guarded by lock.
  private final Map<Id, Sandbox> sandboxes = new LinkedHashMap<>();
  private final Bases bases;
  private final Map<Id, RestorePoint> outliving = new LinkedHashMap<>();
  private @Nullable Descriptor program;
  private boolean closed;

  private DeltaBox(DeltaBoxConfig config) throws IOException {
    this.config = config;
    this.cgroups = Cgroups.detect(config.without());
    this.keeper = Keeper.open(config.keeperBytesMax());
    this.loop = new IoLoop();
    this.bases = new Bases(loop);
    this.timer =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "deltabox-timer");
              thread.setDaemon(true);
              return thread;
            });
    timer.setRemoveOnCancelPolicy(true);
  }

  /** Opens a box. Control groups of boxes that were killed are removed. */
  public static DeltaBox open(DeltaBoxConfig config) throws IOException {
    DeltaBox box = new DeltaBox(config);
    for (Path group : box.cgroups.leftOver()) {
      CgroupSet.removeTree(group);
    }
    return box;
  }

  public DeltaBoxConfig config() {
    return config;
  }

  /** What a user should know of every sandbox of this box: one line each. */
  public List<String> notices() {
    List<String> notices = new ArrayList<>(cgroups.notices());
    notices.add("network: loopback only, nothing outside can be reached");
    return notices;
  }

  /**
   * Makes a sandbox and returns when it can run commands; after a failure nothing is left of it.
   *
   * @throws InvalidRequestException if a value of {@code spec} cannot be meant
   * @throws UnavailableException if this machine or user lacks something
   */
  public Sandbox create(SandboxSpec spec) throws IOException {
    Checks.sandbox(spec);
    int uid = SandboxFunctions.get().dbx_sandbox_uid();
    if (uid != 0) {
      throw new UnavailableException(
          "create sandbox failed: needs root for mounts and namespaces, running as uid="
              + uid
              + " (start the daemon as root)");
    }
    Id id = Id.make(clock.instant());
    return open(id, spec, () -> make(id, spec));
  }

  private interface Making {
    Sandbox make() throws IOException;
  }

  private Sandbox open(Id id, SandboxSpec spec, Making making) throws IOException {
    synchronized (lock) {
      requireFree(spec);
      // Reserves the name; the entry is replaced or removed below.
      sandboxes.put(id, Sandbox.reserved(id, spec));
    }
    try {
      Sandbox sandbox = making.make();
      synchronized (lock) {
        if (closed) {
          sandbox.close();
          throw new SandboxClosedException("the box is closed");
        }
        if (sandbox.running()) {
          sandboxes.put(id, sandbox);
        }
      }
      return sandbox;
    } catch (IOException | RuntimeException e) {
      forget(id);
      throw e;
    }
  }

  private void requireFree(SandboxSpec spec) throws SandboxException {
    if (closed) {
      throw new SandboxClosedException("the box is closed");
    }
    for (Sandbox other : sandboxes.values()) {
      if (spec.name() != null && spec.name().equals(other.name())) {
        throw new InvalidRequestException(
            "sandbox name is in use: name="
                + spec.name()
                + " sandbox="
                + other.id().brief()
                + " (choose another, or end that one)");
      }
    }
  }

  private Sandbox make(Id id, SandboxSpec spec) throws IOException {
    return Sandbox.of(
        id, spec, makeHost(id, 0, spec, null, ClockOffsets.NONE), services(id, spec), null);
  }

  private Sandbox.Services services(Id id, SandboxSpec spec) throws IOException {
    AtomicInteger containers = new AtomicInteger();
    return new Sandbox.Services(
        loop,
        timer,
        clock,
        keeper,
        config.without(),
        () -> forget(id),
        notices(),
        old -> makeHost(id, containers.incrementAndGet(), spec, old.terminals(), old.clocks()),
        this::outlive,
        accounts(spec));
  }

  private void outlive(List<RestorePoint> points) {
    synchronized (lock) {
      points.forEach(point -> outliving.put(point.snapshot().id(), point));
    }
  }

  /** Snapshots whose sandbox has ended: those that have a name, oldest first. */
  public List<Snapshot> snapshots() {
    synchronized (lock) {
      return outliving.values().stream().map(RestorePoint::snapshot).toList();
    }
  }

  /**
   * Makes a new sandbox from a snapshot: the same processes with the same numbers, files and
   * commands under their ids. It does not matter what has become of the sandbox the snapshot was
   * made in.
   *
   * @param snapshot of a sandbox of this box, or of one that has ended and has a name
   * @param name of the new sandbox, or null
   * @throws NotFoundException if the snapshot is not kept any more
   */
  public Sandbox restore(Snapshot snapshot, @Nullable String name) throws IOException {
    Checks.name("sandbox", name);
    return restore(point(snapshot), name);
  }

  /** The same, of a snapshot that any source has the state of. */
  Sandbox restore(RestorePoint point, @Nullable String name) throws IOException {
    SandboxSpec spec = point.spec().named(name);
    Id id = Id.make(clock.instant());
    return open(
        id,
        spec,
        () ->
            Sandbox.of(
                id, spec, makeHost(id, 0, spec, null, clocks(point)), services(id, spec), point));
  }

  /**
   * Clocks go on from the snapshot, where the kernel can do that: the machine's are ahead of it.
   */
  private ClockOffsets clocks(RestorePoint point) throws IOException {
    if (!Files.exists(Path.of("/proc/self/ns/time_for_children"))) {
      return ClockOffsets.NONE;
    }
    UUID id = CapturedState.uuid(point.snapshot().id());
    CaptureSource source = point.source();
    return source == null
        ? CaptureEngine.clocksFor(keeper, id)
        : CaptureEngine.clocksFor(source, id);
  }

  private RestorePoint point(Snapshot snapshot) throws IOException {
    for (Sandbox sandbox : sandboxes()) {
      RestorePoint point = sandbox.restorePoint(snapshot);
      if (point != null) {
        return point;
      }
    }
    synchronized (lock) {
      RestorePoint point = outliving.get(snapshot.id());
      if (point != null) {
        return point;
      }
    }
    throw new NotFoundException(
        "no such snapshot: id="
            + snapshot.id()
            + " (its sandbox has ended and it had no name, or it was removed)");
  }

  /** Ends a sandbox and forgets all its snapshots, also those that have a name. */
  public void remove(Sandbox sandbox) {
    sandbox.close();
    snapshots().stream().filter(s -> s.sandboxId().equals(sandbox.id())).forEach(this::forget);
  }

  /** Forgets a snapshot whose sandbox has ended. */
  public void forget(Snapshot snapshot) {
    synchronized (lock) {
      outliving.remove(snapshot.id());
    }
    keeper.forget(CapturedState.uuid(snapshot.id()));
  }

  /**
   * Makes an empty container.
   *
   * @param number of the container in the life of the sandbox
   * @param terminals those it takes over, or null
   * @param clocks how far its clocks are from the machine's
   */
  private SandboxHost makeHost(
      Id id, int number, SandboxSpec spec, @Nullable Descriptor terminals, ClockOffsets clocks)
      throws IOException {
    Exposures exposures = Exposures.open(spec.exposed());
    try (exposures) {
      Mounts mounts;
      Descriptor initProgram;
      synchronized (lock) {
        mounts = Mounts.make(bases.of(spec, exposures.list()), spec.upperBytesMax(), terminals);
        initProgram = program();
      }
      CgroupSet groups;
      try {
        groups = cgroups.make(id, number, spec);
      } catch (IOException | RuntimeException e) {
        mounts.close();
        throw e;
      }
      return SandboxHost.start(
          initProgram, spec.hostname(), mounts, groups, exposures.exposed(), clocks);
    }
  }

  private Accounts accounts(SandboxSpec spec) throws IOException {
    SandboxSpec.BaseTree tree = spec.base();
    return tree == null ? Accounts.OWN : Accounts.of(tree.directory());
  }

  private Descriptor program() throws IOException {
    if (program == null) {
      program = SandboxHost.program();
    }
    return program;
  }

  private void forget(Id id) {
    synchronized (lock) {
      sandboxes.remove(id);
    }
  }

  /** The running sandboxes, oldest first. */
  public List<Sandbox> sandboxes() {
    synchronized (lock) {
      return sandboxes.values().stream().filter(Sandbox::running).toList();
    }
  }

  /**
   * Finds a running sandbox.
   *
   * @param idOrName full id, a prefix of at least {@value #PREFIX_MIN} characters, or name
   * @throws NotFoundException if nothing fits
   * @throws AmbiguousException if a prefix fits several
   */
  public Sandbox find(String idOrName) throws SandboxException {
    return Lookup.find(
        "sandbox", idOrName, sandboxes(), s -> s.id().toString(), Sandbox::name, "deltabox ls");
  }

  /** Ends all sandboxes. Idempotent. */
  @Override
  public void close() {
    List<Sandbox> last;
    synchronized (lock) {
      if (closed) {
        return;
      }
      closed = true;
      last = new ArrayList<>(sandboxes.values());
    }
    // All begin to die before the first is waited for.
    last.forEach(Sandbox::kill);
    last.forEach(Sandbox::close);
    timer.shutdownNow();
    keeper.close();
    loop.close();
    synchronized (lock) {
      bases.close();
      if (program != null) {
        program.close();
      }
    }
  }
}
