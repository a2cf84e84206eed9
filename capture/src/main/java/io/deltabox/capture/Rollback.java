package io.deltabox.capture;

import io.deltabox.capture.descriptors.DescriptorReconciler;
import io.deltabox.capture.descriptors.DescriptorTable;
import io.deltabox.capture.descriptors.OpenFile;
import io.deltabox.capture.descriptors.SandboxRoot;
import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One rollback, from the freeze to the thaw. The order is what keeps it exact: what must end, ends
 * first; files come before what is open or mapped; layout before content; content before threads
 * that live in it; registers last.
 */
final class Rollback {
  /** What {@code dbx_engine_look} tells: own copies of file pages, or all that was written too. */
  private static final int LOOK_OWN = 0;

  private static final int LOOK_ALL = 1;

  private final Tracer tracer;
  private final PageStore store;
  private final MemoryWork work;
  private final FilesPart files;
  private final SnapshotState wanted;
  private final CapturePhase.Hook hook;
  private final Outside outside;
  private final ClockOffsets clocksLater;
  private final WindowRecords records;
  private final SandboxRoot root;
  private DescriptorTable descriptorsNow;
  private final Window window;
  private final WindowTimes frozen;
  private final SharedObjects objects;
  private final LayoutRestore layout;
  private final ProcessPlan plan;
  private final ProcessMaker maker;
  private final JobControl jobs;

  private final Map<Integer, LiveProcess> living = new LinkedHashMap<>();
  private final List<ProcessState> extras = new ArrayList<>();
  private final Map<Integer, ThreadRestore> threads = new HashMap<>();
  private final Map<Integer, List<PageRun>> mapped = new HashMap<>();
  private final Map<Integer, List<RegionPlan.Step>> steps = new HashMap<>();
  private final long started = System.nanoTime();

  /** Processes whose advice was read anew, because their layout is not the wanted one. */
  private final Set<Integer> advised = new HashSet<>();

  private CapturePhase phase = CapturePhase.ROLLBACK_PLAN;
  private boolean editing;
  private long pagesWritten;
  private long pagesDropped;
  private FilesPart.Edits filesEdited = FilesPart.Edits.NONE;

  Rollback(
      Hold hold,
      PageStore store,
      SnapshotState wanted,
      List<ProcessFacts> then,
      CapturePhase.Hook hook,
      Outside outside)
      throws IOException {
    this.tracer = hold.tracer;
    this.store = store;
    this.work = hold.work;
    this.files = hold.files;
    this.wanted = wanted;
    this.hook = hook;
    this.outside = outside;
    this.clocksLater = wanted.clocks().minus(hold.target.clocks());
    this.window = hold.window;
    this.frozen = window.times();
    hold.aliases.addAll(wanted.aliases());
    this.records = hold.aliases.apply(window.records());
    this.descriptorsNow =
        DescriptorTable.parse(window.recordBytes(), tracer.devices(), wanted.descriptors());
    this.root = SandboxRoot.later(hold.target.initPid(), tracer.devices());
    this.objects = new SharedObjects(tracer, hold.aliases, wanted, root, files);
    this.layout = new LayoutRestore(tracer, window, hold.aliases, objects);
    this.plan = Processes.plan(records, descriptorsNow, then);
    this.maker = new ProcessMaker(hold, plan, wanted, living, outside);
    this.jobs = new JobControl(living.values(), wanted.processes());
    // What came before is of the checkpoints.
    records.entries().keySet().forEach(this::injected);
  }

  /** True from the first edit on. */
  boolean editing() {
    return editing;
  }

  RollbackReport run(@Nullable Runnable check) throws IOException {
    try {
      return edit(check);
    } finally {
      objects.close();
      root.close();
    }
  }

  /**
   * What {@link #run} would do, without doing any of it.
   *
   * @throws CaptureException if it would be refused
   */
  RollbackPreview preview() throws IOException {
    try {
      begin();
      List<RollbackPreview.Step> steps =
          new RollbackSteps(store, work, wanted).list(plan, living, extras);
      return new RollbackPreview(
          steps,
          extras.size(),
          plan.with(ProcessPlan.Fate.MAKE).size(),
          files.differences(wanted.files()));
    } finally {
      objects.close();
      root.close();
    }
  }

  /** Pairs and holds what is there; refuses what cannot be put back before anything is touched. */
  private void begin() throws IOException {
    match();
    for (Map.Entry<Integer, WindowRecords.Entry> one : records.entries().entrySet()) {
      objects.hold(one.getKey(), one.getValue().regions);
    }
    objects.hold(descriptorsNow, living);
    OpenFile lost = wanted.descriptors().lost(descriptorsNow);
    if (lost != null) {
      throw new CaptureException(
          "rollback refused, the sandbox runs on: a file whose name was gone at the snapshot"
              + " was open in it, and nobody holds it any more: "
              + lost);
    }
  }

  private RollbackReport edit(@Nullable Runnable check) throws IOException {
    long t0 = System.nanoTime();
    enter(CapturePhase.ROLLBACK_PLAN);
    begin();
    enter(CapturePhase.ROLLBACK_END);
    if (ends()) {
      quiet(1);
    }
    followAgain();
    endExtras();
    for (ThreadRestore thread : threads.values()) {
      thread.endOthers();
    }
    long t1 = System.nanoTime();
    enter(CapturePhase.ROLLBACK_FILES);
    List<Integer> pids = living.values().stream().map(LiveProcess::pid).toList();
    filesEdited = files.rollback(wanted.files(), pids, descriptorsNow, sharedMapping());
    long t2 = System.nanoTime();
    enter(CapturePhase.ROLLBACK_PROCESSES);
    makeProcesses();
    enter(CapturePhase.ROLLBACK_REGIONS);
    regions();
    enter(CapturePhase.ROLLBACK_OBJECTS);
    objects.fill(records.objects(), store, work);
    long t3 = System.nanoTime();
    enter(CapturePhase.ROLLBACK_DESCRIPTORS);
    descriptors();
    long t4 = System.nanoTime();
    enter(CapturePhase.ROLLBACK_PAGES);
    pages();
    long t5 = System.nanoTime();
    enter(CapturePhase.ROLLBACK_THREADS);
    threads();
    long t6 = System.nanoTime();
    enter(CapturePhase.ROLLBACK_REGISTERS);
    registers();
    long t7 = System.nanoTime();
    enter(CapturePhase.ROLLBACK_REARM);
    rearm();
    long t8 = System.nanoTime();
    if (check != null) {
      check.run();
    }
    long t9 = System.nanoTime();
    if (ends()) {
      quiet(0);
    }
    long end = tracer.thaw();
    List<InjectedWork> injected = injectedWork();
    RollbackPhases phases =
        new RollbackPhases(
            frozen.total() + (t0 - started),
            t1 - t0,
            t2 - t1,
            t3 - t2,
            t4 - t3,
            t5 - t4,
            t6 - t5,
            t7 - t6,
            t8 - t7,
            end - t9);
    return new RollbackReport(
        frozen.total() + (end - started) - (t9 - t8),
        phases,
        living.size(),
        extras.size(),
        maker.made(),
        threads.values().stream().mapToInt(ThreadRestore::ended).sum(),
        threads.values().stream().mapToInt(ThreadRestore::made).sum(),
        pagesWritten,
        pagesDropped,
        filesEdited.changed(),
        injected);
  }

  private long injected(int pid) {
    return tracer.calls.dbx_engine_injected(tracer.handle(), pid);
  }

  private List<InjectedWork> injectedWork() {
    List<InjectedWork> done = new ArrayList<>();
    for (LiveProcess process : living.values()) {
      long work = injected(process.pid());
      if (work > 0) {
        done.add(new InjectedWork(process.innerPid(), work >>> 32, work & 0xffffffffL));
      }
    }
    return done;
  }

  private void quiet(int on) throws CaptureException {
    int result = tracer.calls.dbx_engine_quiet(tracer.handle(), on);
    if (result < 0) {
      throw new CaptureException("reach pid 1 of the sandbox failed: " + Errno.text(-result));
    }
  }

  private void enter(CapturePhase next) throws CaptureException {
    phase = next;
    hook.enter(next);
    editing |= next.edits();
  }

  /** What is being done, or failed. */
  CapturePhase phase() {
    return phase;
  }

  /** True if pid 1 has to be told: the ends of processes that this causes are no news. */
  private boolean ends() {
    return !extras.isEmpty() || !plan.with(ProcessPlan.Fate.MAKE).isEmpty();
  }

  /**
   * Pairs what lives with what is wanted, and refuses what cannot be put back before anything is
   * touched.
   */
  private void match() throws IOException {
    Set<Integer> ending = plan.ending();
    for (WindowRecords.Entry entry : records.entries().values()) {
      ProcessState now = entry.state();
      ProcessSnapshot then = wanted.processes().get(now.inner());
      if (ending.contains(now.inner()) || then == null) {
        extras.add(now);
      } else if (!then.state().zombie()
          && plan.decision(now.inner()).fate() == ProcessPlan.Fate.EDIT) {
        checkRemovedMappings(now, then.state(), wanted.descriptors());
        live(new LiveProcess(tracer, now, entry), then.state()).check();
      } else if (!then.state().zombie() && !now.isNew()) {
        live(new LiveProcess(tracer, now, entry), then.state());
      }
    }
    Processes.refuse(plan, wanted);
  }

  private ThreadRestore live(LiveProcess process, ProcessState then) {
    ThreadRestore restore = new ThreadRestore(tracer, process, then);
    living.put(process.innerPid(), process);
    threads.put(process.innerPid(), restore);
    return restore;
  }

  /** Those that run another program since are made able to run calls, as their parents must. */
  private void followAgain() throws IOException {
    for (ProcessPlan.Decision decision : plan.with(ProcessPlan.Fate.EXECUTE)) {
      int number = decision.then().number();
      if (!living.containsKey(number)) {
        LiveProcess process = maker.follow(Processes.find(records, number));
        if (process.state().secureBits() != snapshotOf(number).state().secureBits()) {
          throw new CaptureException(
              "securebits were changed before another program was executed: "
                  + process.state().label());
        }
        living.put(number, process);
      }
      threads.remove(number);
    }
  }

  private void makeProcesses() throws IOException {
    Set<Integer> numbers = new HashSet<>();
    plan.with(ProcessPlan.Fate.MAKE).forEach(d -> numbers.add(d.then().number()));
    jobs.leave(numbers);
    if (plan.decisions().values().stream().allMatch(d -> d.fate() == ProcessPlan.Fate.EDIT)) {
      jobs.restore(maker::foundGroup);
      return;
    }
    maker.run(descriptorsNow);
    descriptorsNow = descriptorsNow.with(maker.filesRead().values());
    for (LiveProcess process : living.values()) {
      if (!threads.containsKey(process.innerPid())) {
        live(process, snapshotOf(process).state());
      }
    }
    jobs.restore(maker::foundGroup);
    maker.enterGroups();
    maker.endFounders();
  }

  private void threads() throws IOException {
    for (ThreadRestore thread : threads.values()) {
      thread.makeMissing();
      thread.settings();
    }
    maker.endZombies();
    boolean told = ends() || maker.helped();
    for (ThreadRestore thread : threads.values()) {
      told |= thread.job();
    }
    for (ThreadRestore thread : threads.values()) {
      thread.signals(told);
    }
    for (LiveProcess process : living.values()) {
      RightsRestore rights = new RightsRestore(tracer, process, snapshotOf(process).state());
      rights.attributes();
      rights.rights(
          descriptorsNow.rights(process.innerPid()),
          wanted.descriptors().rights(process.innerPid()),
          threadsOf(process).tids());
    }
  }

  /**
   * A mapping of a file without a name that is gone too cannot be made again: there is no path to
   * the file.
   */
  private static void checkRemovedMappings(
      ProcessState now, ProcessState then, DescriptorTable files) throws CaptureException {
    for (Region region : then.regions()) {
      if (!region.deleted() || region.is(Region.SPECIAL) || files.otherName(region.key()) != null) {
        continue;
      }
      for (long at = region.start(); at < region.end(); ) {
        Region same = now.regionAt(at);
        if (same == null || !same.sameBacking(region, at) || !same.deleted()) {
          throw new CaptureException(
              "rollback refused, the sandbox runs on: a mapping of a removed file is gone, and its"
                  + " file has no name to map it by again: "
                  + region.name()
                  + " "
                  + then.label());
        }
        at = same.end();
      }
    }
  }

  private void endExtras() throws CaptureException {
    for (int i = extras.size() - 1; i >= 0; i--) {
      ProcessState extra = extras.get(i);
      if (!extra.zombie()) {
        int result = tracer.calls.dbx_engine_end_process(tracer.handle(), extra.pid());
        if (result < 0 && result != -Errno.ESRCH) {
          throw new CaptureException(
              "end process failed: " + Errno.text(-result) + " " + extra.label());
        }
      }
    }
    for (ProcessState extra : extras) {
      for (LiveProcess parent : living.values()) {
        if (parent.innerPid() == extra.innerParent()) {
          reap(parent, extra);
        }
      }
    }
    if (!extras.isEmpty()) {
      int result = tracer.calls.dbx_engine_reap(tracer.handle());
      if (result < 0) {
        throw new CaptureException("reach pid 1 of the sandbox failed: " + Errno.text(-result));
      }
    }
  }

  /**
   * The number is free again only when the parent has waited; it may also have asked not to be
   * told, then there is nothing to wait for.
   */
  private static void reap(LiveProcess parent, ProcessState child) throws CaptureException {
    InjectedBatch batch = parent.inject();
    batch.call(
        Sys.WAIT4,
        batch.value(child.inner()),
        batch.value(0),
        batch.value(Sys.WNOHANG | Sys.WALL),
        batch.value(0));
    batch.run();
  }

  private void regions() throws IOException {
    for (Map.Entry<Integer, LiveProcess> entry : living.entrySet()) {
      LiveProcess process = entry.getValue();
      ProcessSnapshot then = snapshotOf(process);
      if (filesEdited.moved()) {
        layout.readAgain(process);
      }
      layout.moveHeap(process, then.state());
      List<Region> regions =
          NamedRegions.of(then.state().regions(), process.entry().regions, tracer.devices());
      if (process.entry().sameLayout(regions)) {
        continue;
      }
      process.entry().advise(Advice.read(process.pid()), List.of());
      advised.add(entry.getKey());
      List<RegionPlan.Step> plan = RegionPlan.plan(process.entry().regions, regions);
      steps.put(entry.getKey(), plan);
    }
    for (Map.Entry<Integer, LiveProcess> entry : living.entrySet()) {
      List<RegionPlan.Step> plan = steps.getOrDefault(entry.getKey(), List.of());
      mapped.put(entry.getKey(), layout.apply(entry.getValue(), plan));
      if (advised.contains(entry.getKey())) {
        List<Region> then = snapshotOf(entry.getValue()).state().regions();
        layout.adviseKept(entry.getValue(), then, plan);
      }
    }
  }

  private void descriptors() throws IOException {
    boolean same = descriptorsNow == wanted.descriptors() && !filesEdited.moved();
    if (same && !descriptorsNow.anyUntold()) {
      return;
    }
    Map<Integer, StoppedProcess> processes = new HashMap<>(living);
    DescriptorReconciler.reconcile(
        descriptorsNow,
        wanted.descriptors(),
        processes,
        new SandboxFiles(root, objects, filesEdited.moved()),
        outside::end,
        clocksLater);
  }

  private void pages() throws IOException {
    for (LiveProcess process : living.values()) {
      ProcessSnapshot then = snapshotOf(process);
      PageRestore restore = new PageRestore(process, then, store);
      boolean wrote = threadsOf(process).wroteMemory();
      if (wrote || filesEdited.changed() > 0 || !wanted.objects().isEmpty()) {
        // Where the layout was edited too, more than dropped copies may have happened.
        boolean sameLayout = steps.getOrDefault(process.innerPid(), List.of()).isEmpty();
        lookAgain(process, wrote || !sameLayout ? LOOK_ALL : LOOK_OWN);
      }
      List<PageRun> anew = mapped.getOrDefault(process.innerPid(), List.of());
      restore.plan(work.of(process.pid()), anew);
      restore.apply(tracer, anew);
      pagesWritten += restore.written();
      pagesDropped += restore.dropped();
    }
  }

  private boolean sharedMapping() {
    for (LiveProcess process : living.values()) {
      for (Region region : process.entry().regions) {
        boolean file = !region.is(Region.OBJECT) && !region.is(Region.SPECIAL);
        if (region.is(Region.SHARED) && file && !region.anonymous()) {
          return true;
        }
      }
    }
    return false;
  }

  /**
   * Files and objects were edited since the freeze, and cutting one drops the copies of its pages;
   * threads that were ended wrote to memory.
   */
  private void lookAgain(LiveProcess process, int what) throws CaptureException {
    Memory aside = window.aside();
    long bytes =
        tracer.calls.dbx_engine_look(
            tracer.handle(), process.pid(), what, aside.address(), aside.size());
    if (bytes < 0) {
      throw new CaptureException(
          "read pages failed: " + Errno.text((int) -bytes) + " " + process.state().label());
    }
    List<PageRun> own = process.entry().own;
    own.clear();
    WindowRecords.Entry now =
        WindowRecords.parse(aside.slice(0, (int) bytes), aside.address(), tracer.devices())
            .entries()
            .get(process.pid());
    if (now != null) {
      own.addAll(now.own);
      process.entry().dirty.addAll(now.dirty);
    }
  }

  private void registers() throws IOException {
    long bytes = 0;
    for (LiveProcess process : living.values()) {
      for (ThreadState thread : snapshotOf(process).state().threads()) {
        bytes += aligned(thread.recordBytes());
      }
    }
    if (bytes == 0) {
      return;
    }
    try (Memory all = Memory.allocate(bytes, Memory.Touch.LATER)) {
      long offset = 0;
      for (LiveProcess process : living.values()) {
        List<Long> addresses = new ArrayList<>();
        for (ThreadState thread : snapshotOf(process).state().threads()) {
          thread.copyTo(all.slice(offset, thread.recordBytes()));
          addresses.add(all.address() + offset);
          offset += aligned(thread.recordBytes());
        }
        threadsOf(process).registers(addresses);
      }
    }
  }

  private static long aligned(int bytes) {
    return (bytes + 63L) & ~63L;
  }

  private void rearm() throws CaptureException {
    for (LiveProcess process : living.values()) {
      int result = tracer.calls.dbx_engine_rearm(tracer.handle(), process.pid());
      if (result < 0) {
        throw new CaptureException(
            "track memory again failed: " + Errno.text(-result) + " " + process.state().label());
      }
      work.set(process.pid(), snapshotOf(process).pages());
    }
  }

  private ProcessSnapshot snapshotOf(LiveProcess process) {
    return snapshotOf(process.innerPid());
  }

  private ProcessSnapshot snapshotOf(int number) {
    ProcessSnapshot found = wanted.processes().get(number);
    if (found == null) {
      throw new IllegalStateException("not wanted: pid=" + number);
    }
    return found;
  }

  private ThreadRestore threadsOf(LiveProcess process) {
    ThreadRestore found = threads.get(process.innerPid());
    if (found == null) {
      throw new IllegalStateException("not living: " + process.state().label());
    }
    return found;
  }
}
