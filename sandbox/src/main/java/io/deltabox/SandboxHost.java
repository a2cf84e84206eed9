package io.deltabox;

import io.deltabox.capture.ClockOffsets;
import io.deltabox.capture.files.FileLayout;
import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import io.deltabox.linux.NativeLibrary;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The container of one sandbox: its namespaces with pid 1, mounts and control groups.
 *
 * <p>It is made whole or not at all. It ends by {@link #close}, when pid 1 dies, and when this
 * process dies. Descriptors given out are borrowed and valid until {@link #close}.
 */
final class SandboxHost implements AutoCloseable {
  private static final int SETUP_MILLIS = 20_000;
  private static final int END_MILLIS = 10_000;
  private static final int SIGKILL = 9;

  /** A host path to be attached inside. */
  record Exposed(Descriptor mount, String target) {}

  private final Mounts mounts;
  private final CgroupSet cgroups;
  private final InitChannel control;
  private final Descriptor engine;
  private final Descriptor initPidfd;
  private final int initPid;
  private final int guardianPid;
  private final List<String> covered;
  private final ClockOffsets clocks;
  private final AtomicBoolean closed = new AtomicBoolean();

  private SandboxHost(
      Mounts mounts,
      CgroupSet cgroups,
      InitChannel control,
      Descriptor engine,
      Descriptor initPidfd,
      int initPid,
      int guardianPid,
      List<String> covered,
      ClockOffsets clocks) {
    this.mounts = mounts;
    this.cgroups = cgroups;
    this.control = control;
    this.engine = engine;
    this.initPidfd = initPidfd;
    this.initPid = initPid;
    this.guardianPid = guardianPid;
    this.covered = List.copyOf(covered);
    this.clocks = clocks;
  }

  /** Program of pid 1 as an executable file without a name; the caller closes it. */
  static Descriptor program() throws IOException {
    // A file that is open for writing cannot be run, so it is opened again.
    try (Descriptor writable = Descriptor.ofBytes(NativeLibrary.program("deltabox-init"))) {
      return Descriptor.open(Descriptor.NOWHERE, writable.path().toString(), Descriptor.O_RDONLY);
    }
  }

  /**
   * Makes a container; takes ownership of {@code mounts} and {@code cgroups}, also on failure.
   *
   * @param clocks how far the clocks of its commands are to be from the machine's
   */
  static SandboxHost start(
      Descriptor program,
      String hostname,
      Mounts mounts,
      CgroupSet cgroups,
      List<Exposed> exposed,
      ClockOffsets clocks)
      throws IOException {
    Launch launch = new Launch(mounts, cgroups, clocks);
    try {
      return launch.run(program, hostname, exposed);
    } catch (IOException | RuntimeException e) {
      launch.undo();
      throw e;
    }
  }

  /** Pid of the sandbox's pid 1, as this process sees it. */
  int initPid() {
    return initPid;
  }

  /** How far the clocks of its commands are from the machine's. */
  ClockOffsets clocks() {
    return clocks;
  }

  /** Where its files are, for the capture engine. */
  FileLayout fileLayout() {
    return new FileLayout(
        mounts.tree().fd(),
        mounts.tmpfs().fd(),
        List.of(mounts.layer().fd(), mounts.baseTree().fd()),
        "upper",
        "work",
        "shm",
        Mounts.STAGING,
        covered,
        mounts.baseDigest());
  }

  /** Digest of the tree that is its base; empty for the host's files. */
  String baseDigest() {
    return mounts.baseDigest();
  }

  /** Root of the overlay without any mount on it. */
  int treeFd() {
    return mounts.tree().fd();
  }

  /** Upper directory of the overlay. */
  int upperFd() {
    return mounts.upper().fd();
  }

  /** Root of the private file system that holds the upper directory and shared memory. */
  int tmpfsFd() {
    return mounts.tmpfs().fd();
  }

  /** Root of {@code /dev/shm} of the sandbox. */
  int shmFd() {
    return mounts.shmTree().fd();
  }

  /** Its devpts, for terminals. */
  int devptsFd() {
    return mounts.devpts().fd();
  }

  /**
   * Its {@code /dev/null}, opened anew. Never the host's: root inside has the number of root
   * outside, and could change mode and owner of the node through a descriptor.
   */
  Descriptor nothing() throws IOException {
    return Descriptor.open(Descriptor.NOWHERE, mounts.nothing().path().toString(), 0);
  }

  /** The same, for a container that replaces this one with its terminals. */
  Descriptor terminals() {
    return mounts.terminals();
  }

  /** Socket on which pid 1 serves the engine while all else is stopped; {@code protocol.h}. */
  int engineChannel() {
    return engine.fd();
  }

  InitChannel control() {
    return control;
  }

  CgroupSet cgroups() {
    return cgroups;
  }

  /** Kills pid 1 and with it everything inside. Idempotent; does not wait. */
  void kill() {
    if (initPidfd.open()) {
      SandboxFunctions.get().dbx_sandbox_signal(initPidfd.fd(), SIGKILL);
    }
  }

  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    kill();
    SandboxFunctions.get().dbx_sandbox_reap(guardianPid);
    // Readable at once, unless somebody killed the guardian: then nobody has waited for pid 1.
    SandboxFunctions.get().dbx_sandbox_poll(initPidfd.fd(), IoLoop.READABLE, END_MILLIS);
    control.close();
    engine.close();
    initPidfd.close();
    mounts.close();
    // The guardian has done it, unless somebody killed it.
    cgroups.remove();
  }

  /** The making of one container. */
  private static final class Launch {
    private final SandboxFunctions.Calls calls = SandboxFunctions.get();
    private final Mounts mounts;
    private final CgroupSet cgroups;
    private final ClockOffsets clocks;
    private final List<Descriptor> own = new ArrayList<>();
    private int guardian = -1;
    private int pidfd = -1;

    Launch(Mounts mounts, CgroupSet cgroups, ClockOffsets clocks) {
      this.clocks = clocks;
      this.mounts = mounts;
      this.cgroups = cgroups;
    }

    SandboxHost run(Descriptor program, String hostname, List<Exposed> exposed) throws IOException {
      Descriptor.Pair control =
          Descriptor.Pair.make(calls::dbx_sandbox_socketpair, "make control socket");
      own.addAll(List.of(control.first(), control.second()));
      Descriptor.Pair engine =
          Descriptor.Pair.make(calls::dbx_sandbox_socketpair, "make engine socket");
      own.addAll(List.of(engine.first(), engine.second()));
      guardian = spawn(program, hostname, exposed, control.second(), engine.second());
      control.second().close();
      engine.second().close();
      mounts.closeGiven();
      InitChannel channel = new InitChannel(control.first());
      InitChannel.Received hello = expect(channel, InitMessage.Kind.HELLO);
      own.addAll(hello.descriptors());
      pidfd = hello.descriptors().isEmpty() ? -1 : hello.descriptors().get(0).fd();
      if (hello.descriptors().size() != 1) {
        throw new SandboxException("start sandbox failed: the guardian sent no pidfd");
      }
      expect(channel, InitMessage.Kind.READY);
      return new SandboxHost(
          mounts,
          cgroups,
          channel,
          engine.first(),
          hello.descriptors().get(0),
          hello.message().pid(),
          guardian,
          covered(exposed),
          clocks);
    }

    /** Paths inside on which something is mounted. */
    private static List<String> covered(List<Exposed> exposed) {
      List<String> paths = new ArrayList<>(List.of("proc", "dev"));
      exposed.forEach(e -> paths.add(e.target().substring(1)));
      return paths;
    }

    private InitChannel.Received expect(InitChannel channel, InitMessage.Kind kind)
        throws IOException {
      InitChannel.Received received = channel.receive(SETUP_MILLIS);
      if (received == null) {
        throw new SandboxException("start sandbox failed: its first process died at once");
      }
      InitMessage message = received.message();
      if (message.kind() == InitMessage.Kind.BROKEN) {
        throw new UnavailableException(
            "start sandbox failed: cannot "
                + InitStage.text(message.stage())
                + ": "
                + Errno.text(message.status())
                + " (see 'deltabox doctor')");
      }
      if (message.kind() != kind) {
        throw new SandboxException(
            "start sandbox failed: expected=" + kind + " found=" + message.kind());
      }
      return received;
    }

    private int spawn(
        Descriptor program,
        String hostname,
        List<Exposed> exposed,
        Descriptor control,
        Descriptor engine)
        throws IOException {
      List<Descriptor> given = new ArrayList<>();
      given.add(control);
      given.add(engine);
      given.add(mounts.overlay());
      given.add(mounts.dev());
      given.add(mounts.devpts());
      given.add(mounts.shm());
      List<Descriptor> opened = new ArrayList<>();
      try {
        openCgroups(given, opened);
        exposed.forEach(e -> given.add(e.mount()));
        List<String> words = arguments(hostname, exposed);
        // The number is of this process: /proc/self would be the child, which has closed it.
        String path = "/proc/" + ProcessHandle.current().pid() + "/fd/" + program.fd();
        return (int) Errno.check(spawn(path, words, given), "start program deltabox-init");
      } finally {
        opened.forEach(Descriptor::close);
      }
    }

    private void openCgroups(List<Descriptor> given, List<Descriptor> opened) throws IOException {
      String two = cgroups.unified() == null ? "/dev/null" : cgroups.unified().toString();
      opened.add(Descriptor.open(Descriptor.NOWHERE, two, Descriptor.O_RDONLY));
      final int writeOnly = 1;
      for (var group : cgroups.version1()) {
        opened.add(
            Descriptor.open(
                Descriptor.NOWHERE, group.resolve("cgroup.procs").toString(), writeOnly));
      }
      given.addAll(opened);
    }

    private List<String> arguments(String hostname, List<Exposed> exposed) {
      List<String> words = new ArrayList<>();
      words.add("deltabox-init");
      words.add(hostname);
      words.add(cgroups.unified() == null ? "0" : "1");
      words.add(Integer.toString(cgroups.version1().size()));
      words.add(Integer.toString(exposed.size()));
      words.add(Long.toString(clocks.monotonicNanos()));
      words.add(Long.toString(clocks.boottimeNanos()));
      exposed.forEach(e -> words.add(e.target()));
      cgroups.directories().forEach(d -> words.add(d.toString()));
      return words;
    }

    private int spawn(String path, List<String> words, List<Descriptor> given) throws IOException {
      byte[] strings = Strings.pack(words);
      try (Memory memory =
          Memory.allocate(strings.length + 4L * given.size(), Memory.Touch.LATER)) {
        int fdsAt = 0;
        ByteBuffer numbers = memory.slice(fdsAt, 4 * given.size());
        given.forEach(d -> numbers.putInt(d.fd()));
        memory.slice(4L * given.size(), strings.length).put(strings);
        return calls.dbx_sandbox_spawn(
            path,
            memory.address() + 4L * given.size(),
            words.size(),
            memory.address(),
            given.size());
      }
    }

    void undo() {
      if (pidfd >= 0) {
        calls.dbx_sandbox_signal(pidfd, SIGKILL);
      }
      own.forEach(Descriptor::close);
      mounts.close();
      if (guardian > 0) {
        calls.dbx_sandbox_reap(guardian);
      }
      cgroups.remove();
    }
  }

  /** Strings one after the other, each ended by a NUL. */
  static final class Strings {
    private Strings() {}

    static byte[] pack(List<String> strings) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      for (String string : strings) {
        out.writeBytes(string.getBytes(StandardCharsets.UTF_8));
        out.write(0);
      }
      return out.toByteArray();
    }
  }
}
