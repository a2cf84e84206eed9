package io.deltabox.capture;

import io.deltabox.capture.descriptors.DescriptorTable;
import io.deltabox.capture.descriptors.ProcessFiles;
import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes processes again in the stopped sandbox: born of their parents, or of pid 1, with their old
 * numbers, sessions, groups and programs, without descriptors and with a memory that is yet to be
 * put back. Everything after that is what is done to a process that lives. Used on the tracing
 * thread only, after the files are back.
 */
final class ProcessMaker {
  /** setpgid(2): also when there is no such group in the session. */
  private static final int EPERM = 1;

  private static final int EAGAIN = 11;
  private static final int TRIES_MAX = 3;
  private static final int SIGCHLD = 17;
  private static final int PID_ONE = 1;

  /** Numbers of helpers: below the smallest pid_max a kernel is set to (32768). */
  private static final int HELPER_FIRST = 32000;

  private final Tracer tracer;
  private final Window window;
  private final Aliases aliases;
  private final ProcessPlan plan;
  private final Map<Integer, ProcessSnapshot> wanted;
  private final DescriptorTable files;
  private final Outside outside;

  private final Map<Integer, LiveProcess> living;
  private final Map<Integer, ProcessFiles> read = new LinkedHashMap<>();
  private final Map<Integer, String> programs = new HashMap<>();
  private final Map<Integer, Integer> sessions = new HashMap<>();
  private final Map<Integer, Long> addresses = new HashMap<>();
  private final Map<Integer, Integer> founders = new LinkedHashMap<>();
  private final Set<Integer> finished = new HashSet<>();
  private final List<Husk> zombies = new ArrayList<>();
  private final Set<Integer> numbers = new HashSet<>();
  private int made;
  private boolean helped;

  /** A process that is to die as soon as its parent can be told so. */
  private record Husk(ProcessState then, int pid) {}

  /**
   * @param living processes that live and stay, by number inside; those made are added
   * @param wanted what they are to be
   */
  ProcessMaker(
      Hold hold,
      ProcessPlan plan,
      SnapshotState wanted,
      Map<Integer, LiveProcess> living,
      Outside outside) {
    this.tracer = hold.tracer;
    this.window = hold.window;
    this.aliases = hold.aliases;
    this.plan = plan;
    this.wanted = wanted.processes();
    this.files = wanted.descriptors();
    this.living = living;
    this.outside = outside;
  }

  int made() {
    return made;
  }

  /** True if a process was made for a while, of whose end a signal tells its parent. */
  boolean helped() {
    return helped;
  }

  /** What was read of the processes made or executed again. */
  Map<Integer, ProcessFiles> filesRead() {
    return read;
  }

  /**
   * Begins to follow a living process again whose memory is another program's, so that calls can be
   * run in it.
   */
  LiveProcess follow(ProcessState state) throws IOException {
    followed(state.pid(), state);
    return readAgain(state.pid(), state);
  }

  /** Executes old programs again, then makes what is missing. */
  void run(DescriptorTable now) throws IOException {
    now.processes().forEach((number, one) -> programs.put(number, one.exe().path()));
    living.values().forEach(this::know);
    wanted.values().forEach(one -> one.state().threads().forEach(t -> numbers.add(t.inner())));
    wanted
        .values()
        .forEach(
            one ->
                numbers.addAll(
                    List.of(one.state().inner(), one.state().session(), one.state().group())));
    for (ProcessPlan.Decision decision : plan.with(ProcessPlan.Fate.EXECUTE)) {
      execute(decision.then().number());
    }
    for (ProcessPlan.Decision decision : plan.with(ProcessPlan.Fate.MAKE)) {
      make(decision.then());
    }
  }

  private void know(LiveProcess process) {
    sessions.put(process.innerPid(), process.state().session());
    process.state().threads().forEach(t -> numbers.add(t.inner()));
  }

  private ProcessState then(int number) {
    ProcessSnapshot found = wanted.get(number);
    if (found == null) {
      throw new IllegalStateException("not wanted: pid=" + number);
    }
    return found.state();
  }

  private String program(int number) {
    ProcessFiles found = files.processes().get(number);
    return found == null ? "" : found.exe().path();
  }

  private void execute(int number) throws IOException {
    LiveProcess process = living.get(number);
    if (process == null) {
      throw new IllegalStateException("not living: pid=" + number);
    }
    for (ThreadState thread : process.state().threads()) {
      if (thread.inner() != number) {
        int result =
            tracer.calls.dbx_engine_end_thread(tracer.handle(), process.pid(), thread.tid());
        check(result, "end thread", process.state());
      }
    }
    followed(process.pid(), process.state());
    takeImage(process.pid(), number, programs.getOrDefault(number, ""));
  }

  private void make(ProcessFacts facts) throws IOException {
    int number = facts.number();
    if (!finished.add(number)) {
      return;
    }
    makeFirst(facts.parent());
    ProcessState then = then(number);
    int pid = birth(then);
    made++;
    followed(pid, then);
    // Children that are of the session it was born in are born before it leaves that.
    for (ProcessPlan.Decision child : plan.with(ProcessPlan.Fate.MAKE)) {
      boolean own = child.then().parent() == number;
      int needed = plan.bornIn(child.then());
      if (own && leaves(then) && needed != ProcessPlan.ANY && needed != number) {
        unready(then, pid);
        make(child.then());
      }
    }
    settle(then, pid);
    if (then.zombie()) {
      zombies.add(new Husk(then, pid));
    } else {
      takeImage(pid, number, programs.getOrDefault(number, ""));
    }
  }

  private void makeFirst(int number) throws IOException {
    ProcessPlan.Decision decision = plan.decisions().get(number);
    if (decision != null && decision.fate() == ProcessPlan.Fate.MAKE) {
      make(decision.then());
    }
  }

  private static boolean leaves(ProcessState then) {
    return then.session() == then.inner();
  }

  /** So that it can give birth before it is finished. */
  private void unready(ProcessState then, int pid) throws IOException {
    if (!living.containsKey(then.inner())) {
      living.put(then.inner(), readAgain(pid, then));
    }
  }

  /** Session, group and no descriptors. */
  private void settle(ProcessState then, int pid) throws IOException {
    int number = then.inner();
    InjectedBatch batch = batch(pid, then);
    batch.call(Sys.CLOSE_RANGE, batch.value(0), batch.value(0xffffffffL), batch.value(0));
    List<Injection.Call> calls = new ArrayList<>();
    if (leaves(then)) {
      calls.add(batch.call(Sys.SETSID));
      sessions.put(number, number);
    } else if (then.group() == number) {
      calls.add(batch.call(Sys.SETPGID, batch.value(0), batch.value(0)));
    }
    batch.run();
    for (Injection.Call call : calls) {
      check((int) batch.result(call), "enter session and group", then);
    }
    if (sessions.getOrDefault(number, 0) != then.session()) {
      throw new CaptureException(
          "make a process again failed: its session cannot be entered again: session="
              + then.session()
              + " "
              + then.label());
    }
  }

  private int birth(ProcessState then) throws IOException {
    int number = then.inner();
    if (then.innerParent() == PID_ONE) {
      int session = plan.bornIn(plan.decision(number).then());
      return session == ProcessPlan.ANY ? stub(then, number) : orphan(then, session);
    }
    LiveProcess parent = living.get(then.innerParent());
    if (parent == null) {
      throw new CaptureException(
          "make a process again failed: its parent is not there: parent="
              + then.innerParent()
              + " "
              + then.label());
    }
    programs.put(number, programs.getOrDefault(then.innerParent(), ""));
    sessions.put(number, sessions.getOrDefault(then.innerParent(), 0));
    return fork(parent.pid(), number, then, exitSignal(then));
  }

  private int stub(ProcessState then, int number) throws IOException {
    programs.put(number, "");
    sessions.put(number, 0);
    return bornOfInit(number, then);
  }

  private int bornOfInit(int number, ProcessState then) throws IOException {
    int group = outside.group(number);
    for (int tries = 1; ; tries++) {
      int pid = tracer.calls.dbx_engine_stub(tracer.handle(), number, group);
      if (pid > 0) {
        return pid;
      }
      if (pid != -EAGAIN || tries == TRIES_MAX) {
        throw failed("make a process again", -pid, then);
      }
    }
  }

  private static int exitSignal(ProcessState then) {
    ImageState image = then.image();
    return image == null || image.exitSignal() < 0 ? SIGCHLD : image.exitSignal();
  }

  private int fork(int parent, int number, ProcessState then, int signal) throws IOException {
    int pid = tracer.calls.dbx_engine_fork(tracer.handle(), parent, number, signal);
    if (pid <= 0) {
      throw failed("make a process again", -pid, then);
    }
    return pid;
  }

  /**
   * A child of pid 1 in a session it did not found: born of a helper that is born of a member of
   * the session and dies, or, where the session has no member, of a founder that dies when
   * everybody is there.
   */
  private int orphan(ProcessState then, int session) throws IOException {
    int number = then.inner();
    makeFirst(session);
    LiveProcess member = member(session);
    programs.put(number, "");
    sessions.put(number, session);
    if (founders.containsKey(session) || member == null) {
      return fork(founder(then, session), number, then, SIGCHLD);
    }
    int helperNumber = number();
    int helper = fork(member.pid(), helperNumber, then, SIGCHLD);
    followed(helper, then);
    int pid = fork(helper, number, then, SIGCHLD);
    check(
        tracer.calls.dbx_engine_end_process(tracer.handle(), helper), "end a helper process", then);
    reap(member, helperNumber);
    return pid;
  }

  private int founder(ProcessState then, int session) throws IOException {
    Integer known = founders.get(session);
    if (known != null) {
      return known;
    }
    int founder = bornOfInit(session, then);
    founders.put(session, founder);
    followed(founder, then);
    InjectedBatch batch = batch(founder, then);
    Injection.Call call = batch.call(Sys.SETSID);
    batch.run();
    check((int) batch.result(call), "found a session again", then);
    return founder;
  }

  /** Founders end when their sessions and groups have members; what they bore becomes orphans. */
  void endFounders() throws CaptureException {
    for (int founder : founders.values()) {
      int result = tracer.calls.dbx_engine_end_process(tracer.handle(), founder);
      if (result < 0) {
        throw new CaptureException("end a helper process failed: " + Errno.text(-result));
      }
    }
    if (!founders.isEmpty() && tracer.calls.dbx_engine_reap(tracer.handle()) < 0) {
      throw new CaptureException("reach pid 1 of the sandbox failed");
    }
    founders.clear();
  }

  private static void reap(LiveProcess parent, int number) throws CaptureException {
    InjectedBatch batch = parent.inject();
    batch.call(
        Sys.WAIT4,
        batch.value(number),
        batch.value(0),
        batch.value(Sys.WNOHANG | Sys.WALL),
        batch.value(0));
    batch.run();
  }

  /** A number for a helper: nobody has it or will have it. */
  private int number() {
    int number = HELPER_FIRST;
    while (numbers.contains(number)) {
      number--;
    }
    return number;
  }

  /** Founds a group that has no leader any more, for a process to enter. */
  void foundGroup(LiveProcess member, int group) throws IOException {
    ProcessState then = member.state();
    int helper = fork(member.pid(), group, then, SIGCHLD);
    helped = true;
    followed(helper, then);
    InjectedBatch founding = batch(helper, then);
    Injection.Call call = founding.call(Sys.SETPGID, founding.value(0), founding.value(0));
    founding.run();
    check((int) founding.result(call), "found a process group again", then);
    InjectedBatch entering = member.inject();
    Injection.Call enter = entering.call(Sys.SETPGID, entering.value(0), entering.value(group));
    entering.run();
    check((int) entering.result(enter), "enter a process group again", then);
    check(
        tracer.calls.dbx_engine_end_process(tracer.handle(), helper), "end a helper process", then);
    reap(member, group);
  }

  private @Nullable LiveProcess member(int session) throws IOException {
    for (LiveProcess process : living.values()) {
      if (sessions.getOrDefault(process.innerPid(), 0) == session) {
        return process;
      }
    }
    for (Husk husk : zombies) {
      if (sessions.getOrDefault(husk.then().inner(), 0) == session) {
        return readAgain(husk.pid(), husk.then());
      }
    }
    return null;
  }

  /** Its program, the kernel's pages, and no other memory of its own. */
  private void takeImage(int pid, int number, String present) throws IOException {
    ProcessState then = then(number);
    ImageState image = then.image();
    if (image == null) {
      throw new IllegalStateException("snapshot lacks the image of " + then.label());
    }
    String program = program(number);
    if (!program.equals(present)) {
      ProcessImages.execute(batch(pid, then), then, program);
      programs.put(number, program);
      followed(pid, then);
    }
    List<Region> now = regions(pid, then);
    InjectedBatch batch = batch(pid, then);
    List<Injection.Call> calls = ProcessImages.moveKernelPages(batch, now, then);
    calls.addAll(ProcessImages.unmapRest(batch, now, then));
    calls.add(ProcessImages.places(batch, then, image));
    batch.run();
    for (Injection.Call call : calls) {
      long result = batch.result(call);
      check((int) (result < 0 && result > -4096 ? result : 0), "place an image again", then);
    }
    living.put(number, readAgain(pid, then));
  }

  /** Those that are to end enter the groups they were in, while these have somebody. */
  void enterGroups() throws IOException {
    for (Husk husk : zombies) {
      ProcessState then = husk.then();
      if (leaves(then) || then.group() == then.inner()) {
        continue;
      }
      InjectedBatch batch = batch(husk.pid(), then);
      Injection.Call call = batch.call(Sys.SETPGID, batch.value(0), batch.value(then.group()));
      batch.run();
      int result = (int) batch.result(call);
      if (result == -EPERM) {
        foundGroup(readAgain(husk.pid(), then), then.group());
      } else {
        check(result, "enter a process group again", then);
      }
    }
  }

  /** Those that must have ended by now end; their parents have their settings back. */
  void endZombies() throws IOException {
    for (Husk husk : zombies) {
      ImageState image = husk.then().image();
      int status = image == null ? 0 : image.exitStatus();
      check(
          tracer.calls.dbx_nice_set(husk.pid(), husk.then().nice()), "set nice value", husk.then());
      if (image != null) {
        dress(husk, image.name());
      }
      int result =
          tracer.calls.dbx_engine_let_exit(
              tracer.handle(), husk.pid(), status & 0x7f, (status >> 8) & 0xff);
      check(result, "end a process again", husk.then());
    }
  }

  /** What is still seen of a process that has ended: its name and whose it was. */
  private void dress(Husk husk, String called) throws IOException {
    ProcessState then = husk.then();
    int[] ids = then.ids();
    byte[] name = (called + "\0").getBytes(StandardCharsets.ISO_8859_1);
    InjectedBatch batch = batch(husk.pid(), then);
    List<Injection.Call> calls =
        List.of(
            batch.call(Sys.PRCTL, batch.value(Sys.PR_SET_NAME), batch.bytes(name)),
            batch.call(
                Sys.SETRESGID, batch.value(ids[3]), batch.value(ids[4]), batch.value(ids[5])),
            batch.call(
                Sys.SETRESUID, batch.value(ids[0]), batch.value(ids[1]), batch.value(ids[2])));
    batch.run();
    for (Injection.Call call : calls) {
      check((int) batch.result(call), "name a process that ends again", then);
    }
  }

  private void followed(int pid, ProcessState then) throws IOException {
    long address = tracer.calls.dbx_engine_follow(tracer.handle(), pid);
    if (address < 0 && address > -4096) {
      throw failed("follow a process", (int) -address, then);
    }
    addresses.put(pid, address);
  }

  private InjectedBatch batch(int pid, ProcessState then) throws IOException {
    long local = tracer.calls.dbx_engine_scratch(tracer.handle(), pid);
    if (local < 0 && local > -4096) {
      throw failed("reach a process", (int) -local, then);
    }
    return new InjectedBatch(tracer, pid, 0, addresses.getOrDefault(pid, 0L), local);
  }

  private List<Region> regions(int pid, ProcessState then) throws IOException {
    Memory aside = window.aside();
    long bytes =
        tracer.calls.dbx_engine_regions(tracer.handle(), pid, aside.address(), aside.size());
    return records(pid, bytes, then).regions;
  }

  private WindowRecords.Entry records(int pid, long bytes, ProcessState then)
      throws CaptureException {
    if (bytes < 0) {
      throw failed("read a process", (int) -bytes, then);
    }
    Memory aside = window.aside();
    WindowRecords records =
        aliases.apply(
            WindowRecords.parse(aside.slice(0, (int) bytes), aside.address(), tracer.devices()));
    WindowRecords.Entry entry = records.entries().get(pid);
    if (entry == null) {
      throw failed("read a process", Errno.ESRCH, then);
    }
    return entry;
  }

  private LiveProcess readAgain(int pid, ProcessState then) throws IOException {
    Memory aside = window.aside();
    long bytes = tracer.calls.dbx_engine_read(tracer.handle(), pid, aside.address(), aside.size());
    WindowRecords.Entry entry = records(pid, bytes, then);
    DescriptorTable.parse(aside.slice(0, (int) bytes), tracer.devices())
        .processes()
        .values()
        .forEach(one -> read.put(one.process(), one));
    return new LiveProcess(tracer, entry.state(), entry);
  }

  private static void check(int result, String tried, ProcessState then) throws CaptureException {
    if (result < 0) {
      throw failed(tried, -result, then);
    }
  }

  private static CaptureException failed(String tried, int errno, ProcessState then) {
    return new CaptureException(tried + " failed: " + Errno.text(errno) + " " + then.label());
  }
}
