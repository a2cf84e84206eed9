package io.deltabox.capture;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Puts the threads and signals of one stopped process back. */
final class ThreadRestore {
  private static final int EAGAIN = 11;
  private static final int MAKE_TRIES_MAX = 3;
  private static final int DRAIN_CALLS = 16;
  private static final int SIGNAL_SET_BYTES = 8;

  /** {@code struct robust_list_head}; the kernel takes no other size. */
  private static final int ROBUST_BYTES = 24;

  private final Tracer tracer;
  private final LiveProcess process;
  private final ProcessState wanted;

  /** Numbers in the daemon's namespace by number inside. */
  private final Map<Integer, Integer> tids = new HashMap<>();

  private final PosixTimers timers;

  private int ended;
  private int made;
  private boolean wroteMemory;

  ThreadRestore(Tracer tracer, LiveProcess process, ProcessState wanted) {
    this.tracer = tracer;
    this.process = process;
    this.wanted = wanted;
    this.timers = new PosixTimers(process, wanted);
    process.state().threads().forEach(t -> tids.put(t.inner(), t.tid()));
  }

  /** Refuses, before anything is touched, what cannot be put back. */
  void check() throws CaptureException {
    timers.check();
  }

  int ended() {
    return ended;
  }

  int made() {
    return made;
  }

  /**
   * Ends threads the snapshot does not have. They may write to memory while they end, so this comes
   * before memory.
   */
  void endOthers() throws CaptureException {
    for (ThreadState thread : process.state().threads()) {
      if (wanted.thread(thread.inner()) == null) {
        int result =
            tracer.calls.dbx_engine_end_thread(tracer.handle(), process.pid(), thread.tid());
        if (result < 0) {
          throw failed("end thread", -result);
        }
        tids.remove(thread.inner());
        ended++;
        wroteMemory = true;
      }
    }
    for (ThreadState thread : wanted.threads()) {
      ThreadState now = process.state().thread(thread.inner());
      if (now != null && thread.rseq() != now.rseq()) {
        Batches calls = new Batches(process, tid(thread));
        rseq(calls, calls.room(1, 0), now, Sys.RSEQ_FLAG_UNREGISTER);
        calls.flush();
        wroteMemory = true;
      }
    }
  }

  /** True if the kernel may have written to the process's memory since the freeze. */
  boolean wroteMemory() {
    return wroteMemory;
  }

  /** Makes threads that have ended since again. Needs memory to be back. */
  void makeMissing() throws IOException {
    for (ThreadState thread : wanted.threads()) {
      if (!tids.containsKey(thread.inner())) {
        tids.put(thread.inner(), make(thread));
        made++;
      }
    }
  }

  private int make(ThreadState thread) throws IOException {
    try (Memory record = recordOf(thread)) {
      for (int tries = 1; ; tries++) {
        int tid =
            tracer.calls.dbx_engine_make_thread(
                tracer.handle(), process.pid(), thread.inner(), record.address());
        if (tid > 0) {
          return tid;
        }
        if (tid != -EAGAIN || tries == MAKE_TRIES_MAX) {
          throw failed("make thread " + thread.inner() + " again", -tid);
        }
      }
    }
  }

  private static Memory recordOf(ThreadState thread) throws IOException {
    Memory record = Memory.allocate(thread.recordBytes(), Memory.Touch.LATER);
    thread.copyTo(record.slice(0, thread.recordBytes()));
    return record;
  }

  /** Handlers, timers and limits of the process; alternate stacks and lists of each thread. */
  void settings() throws IOException {
    timers.stop();
    Batches calls = new Batches(process, 0);
    if (!wanted.sameActions(process.state())) {
      actions(calls);
    }
    for (int timer = 0; timer < ProcessState.TIMERS; timer++) {
      byte[] value = wanted.timer(timer);
      if (!Arrays.equals(value, process.state().timer(timer))) {
        InjectedBatch batch = calls.room(1, value.length);
        calls.expect(
            batch.call(Sys.SETITIMER, batch.value(timer), batch.bytes(value), batch.value(0)),
            "set interval timer");
      }
    }
    if (wanted.deathSignal() != process.state().deathSignal()) {
      InjectedBatch batch = calls.room(1, 0);
      calls.expect(
          batch.call(
              Sys.PRCTL, batch.value(Sys.PR_SET_PDEATHSIG), batch.value(wanted.deathSignal())),
          "set parent-death signal");
    }
    calls.flush();
    limits();
    for (ThreadState thread : wanted.threads()) {
      threadSettings(thread, process.state().thread(thread.inner()));
    }
  }

  private void actions(Batches calls) throws CaptureException {
    for (int signal = 1; signal <= ProcessState.SIGNALS; signal++) {
      byte[] action = wanted.action(signal);
      if (!Arrays.equals(action, process.state().action(signal))) {
        InjectedBatch batch = calls.room(1, action.length);
        calls.expect(
            batch.call(
                Sys.RT_SIGACTION,
                batch.value(signal),
                batch.bytes(action),
                batch.value(0),
                batch.value(SIGNAL_SET_BYTES)),
            "set handler of signal " + signal);
      }
    }
  }

  private void limits() throws CaptureException {
    for (int limit = 0; limit < ProcessState.LIMITS; limit++) {
      if (wanted.softLimit(limit) != process.state().softLimit(limit)
          || wanted.hardLimit(limit) != process.state().hardLimit(limit)) {
        int result =
            tracer.calls.dbx_limit_set(
                process.pid(), limit, wanted.softLimit(limit), wanted.hardLimit(limit));
        if (result < 0) {
          throw failed("set limit " + limit, -result);
        }
      }
    }
  }

  private void threadSettings(ThreadState thread, @Nullable ThreadState now)
      throws CaptureException {
    Batches calls = new Batches(process, tid(thread));
    InjectedBatch batch = calls.room(8, 64);
    if (now == null || thread.altStack() != now.altStack() || thread.altBytes() != now.altBytes()) {
      ByteBuffer stack = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
      // SS_ONSTACK is an answer, not a setting (sigaltstack(2)).
      stack
          .putLong(0, thread.altStack())
          .putInt(8, thread.altFlags() & ~1)
          .putLong(16, thread.altBytes());
      calls.expect(
          batch.call(Sys.SIGALTSTACK, batch.bytes(stack.array()), batch.value(0)),
          "set alternate stack");
    }
    if (now != null && thread.robustHead() != now.robustHead()) {
      calls.expect(
          batch.call(
              Sys.SET_ROBUST_LIST, batch.value(thread.robustHead()), batch.value(ROBUST_BYTES)),
          "set robust list");
    }
    if (now != null && thread.rseq() != now.rseq()) {
      rseq(calls, batch, thread, 0);
    }
    if (now != null && thread.clearTid() != now.clearTid()) {
      batch.call(Sys.SET_TID_ADDRESS, batch.value(thread.clearTid()));
    }
    if (now != null && !thread.name().equals(now.name())) {
      byte[] name = Arrays.copyOf(thread.name().getBytes(StandardCharsets.UTF_8), 16);
      calls.expect(
          batch.call(Sys.PRCTL, batch.value(Sys.PR_SET_NAME), batch.bytes(name)),
          "set thread name");
    }
    calls.flush();
  }

  /** A thread caught while it was being born had none yet. */
  private static void rseq(Batches calls, InjectedBatch batch, ThreadState thread, int flags) {
    if (thread.rseq() != 0) {
      calls.expect(
          batch.call(
              Sys.RSEQ,
              batch.value(thread.rseq()),
              batch.value(thread.rseqBytes()),
              batch.value(flags),
              batch.value(thread.rseqSignature())),
          "set restartable sequence area");
    }
  }

  /**
   * Makes the waiting signals what they were: takes off what waits now, queues what waited then.
   *
   * @param others processes were ended, stopped or continued by this rollback, of which signals may
   *     tell
   */
  void signals(boolean others) throws CaptureException {
    boolean waiting = !process.state().signals().isEmpty() || !wanted.signals().isEmpty();
    if (others || timers.running() || waiting) {
      queues();
    }
    timers.start();
  }

  /** Its threads, by number in the daemon's namespace. */
  Collection<Integer> tids() {
    return tids.values();
  }

  /**
   * Whether it is a stopped job. Its parent may get a signal that tells of it, so this comes before
   * {@link #signals} of anybody.
   *
   * @return true if it was another
   */
  boolean job() throws CaptureException {
    boolean then = stopped(wanted);
    if (then == stopped(process.state())) {
      return false;
    }
    int result = tracer.calls.dbx_engine_job(tracer.handle(), process.pid(), then ? 1 : 0);
    if (result < 0) {
      throw new CaptureException(
          "stop or continue a job failed: " + Errno.text(-result) + " " + wanted.label());
    }
    if (!then) {
      // It tells its parent only when it runs again (kernel/signal.c, get_signal).
      for (int tid : tids.values()) {
        drain(tid);
      }
    }
    return true;
  }

  private static boolean stopped(ProcessState state) {
    return !state.threads().isEmpty() && state.threads().get(0).groupStopped();
  }

  private void queues() throws CaptureException {
    for (int tid : tids.values()) {
      drain(tid);
    }
    for (SignalQueue queue : wanted.signals()) {
      Integer tid = queue.innerThread() == 0 ? Integer.valueOf(0) : tids.get(queue.innerThread());
      if (tid != null) {
        requeue(queue, tid);
      }
    }
  }

  private void drain(int tid) throws CaptureException {
    boolean more = true;
    while (more) {
      InjectedBatch batch = process.injectIn(tid);
      byte[] all = new byte[SIGNAL_SET_BYTES];
      Arrays.fill(all, (byte) 0xff);
      Injection.Arg set = batch.bytes(all);
      Injection.Arg now = batch.space(16);
      Injection.Call last = null;
      for (int i = 0; i < DRAIN_CALLS; i++) {
        last =
            batch.call(
                Sys.RT_SIGTIMEDWAIT, set, batch.value(0), now, batch.value(SIGNAL_SET_BYTES));
      }
      batch.run();
      more = last != null && batch.result(last) > 0;
    }
  }

  private void requeue(SignalQueue queue, int tid) throws CaptureException {
    Batches calls = new Batches(process, tid);
    for (byte[] info : queue.infos()) {
      int signal = ByteBuffer.wrap(info).order(ByteOrder.LITTLE_ENDIAN).getInt(0);
      InjectedBatch batch = calls.room(1, info.length);
      Injection.Call call =
          tid == 0
              ? batch.call(
                  Sys.RT_SIGQUEUEINFO,
                  batch.value(wanted.inner()),
                  batch.value(signal),
                  batch.bytes(info))
              : batch.call(
                  Sys.RT_TGSIGQUEUEINFO,
                  batch.value(wanted.inner()),
                  batch.value(queue.innerThread()),
                  batch.value(signal),
                  batch.bytes(info));
      calls.expect(call, "queue signal " + signal);
    }
    calls.flush();
  }

  /** Registers last: after this nothing may run inside the process. */
  void registers(List<Long> addresses) throws CaptureException {
    for (int i = 0; i < wanted.threads().size(); i++) {
      int result =
          tracer.calls.dbx_engine_set_thread(
              tracer.handle(), process.pid(), tid(wanted.threads().get(i)), addresses.get(i));
      if (result < 0) {
        throw failed("set registers", -result);
      }
    }
  }

  private int tid(ThreadState thread) {
    Integer tid = tids.get(thread.inner());
    if (tid == null) {
      throw new IllegalStateException("thread is missing: inner=" + thread.inner());
    }
    return tid;
  }

  private CaptureException failed(String tried, int errno) {
    return new CaptureException(tried + " failed: " + Errno.text(errno) + " " + wanted.label());
  }
}
