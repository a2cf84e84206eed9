package io.deltabox.capture;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Puts the timers of one stopped process back. They stand still while signals are put back, so that
 * none fires in between.
 *
 * <p>A timer that was deleted since gets its number again by prctl(2) {@code
 * PR_TIMER_CREATE_RESTORE_IDS} (Linux 6.15); older kernels only ever give out higher numbers.
 */
final class PosixTimers {
  private static final byte[] STOPPED = new byte[32];

  private final LiveProcess process;
  private final ProcessState wanted;
  private final Map<Integer, PosixTimer> now = new HashMap<>();
  private final Map<Integer, PosixTimer> then = new HashMap<>();

  PosixTimers(LiveProcess process, ProcessState wanted) {
    this.process = process;
    this.wanted = wanted;
    process.state().timers().forEach(timer -> now.put(timer.id(), timer));
    wanted.timers().forEach(timer -> then.put(timer.id(), timer));
  }

  /** True if the process has some that may have fired since the freeze. */
  boolean running() {
    return !now.isEmpty();
  }

  /** Refuses, before anything is touched, what cannot be made again. */
  void check() throws CaptureException {
    for (PosixTimer timer : then.values()) {
      if (!kept(timer, now.get(timer.id()))) {
        if ((timer.how() & PosixTimer.SIGEV_THREAD_ID) != 0 && timer.thread() == 0) {
          throw refused(timer, "the thread it signals had ended already");
        }
        InjectedBatch batch = process.inject();
        Injection.Call ask = restoreNumbers(batch, Sys.PR_TIMER_CREATE_RESTORE_IDS_GET);
        batch.run();
        if (batch.result(ask) < 0) {
          throw refused(timer, "the kernel gives old numbers to new timers from 6.15 on only");
        }
      }
    }
  }

  private CaptureException refused(PosixTimer timer, String why) {
    return new CaptureException(
        "rollback refused, the sandbox runs on: a timer of timer_create(2) was deleted or changed"
            + " since, and "
            + why
            + ": timer="
            + timer.id()
            + " "
            + wanted.label());
  }

  private static Injection.Call restoreNumbers(InjectedBatch batch, int how) {
    return batch.call(Sys.PRCTL, batch.value(Sys.PR_TIMER_CREATE_RESTORE_IDS), batch.value(how));
  }

  /** A timer that signals a thread made again since holds on to the one that ended. */
  private boolean kept(@Nullable PosixTimer a, @Nullable PosixTimer b) {
    return a != null
        && b != null
        && a.sameSetup(b)
        && ((a.how() & PosixTimer.SIGEV_THREAD_ID) == 0
            || process.state().thread(a.thread()) != null);
  }

  /** Deletes those that are not wanted, and stops the others. */
  void stop() throws CaptureException {
    Batches calls = new Batches(process, 0);
    for (PosixTimer timer : now.values()) {
      InjectedBatch batch = calls.room(1, STOPPED.length);
      Injection.Arg id = batch.value(timer.id());
      Injection.Call call =
          kept(timer, then.get(timer.id()))
              ? batch.call(
                  Sys.TIMER_SETTIME, id, batch.value(0), batch.bytes(STOPPED), batch.value(0))
              : batch.call(Sys.TIMER_DELETE, id);
      calls.expect(call, "stop timer " + timer.id());
    }
    calls.flush();
  }

  /** Makes those that are gone, and lets all run for the time they had left. */
  void start() throws CaptureException {
    Batches calls = new Batches(process, 0);
    for (PosixTimer timer : then.values()) {
      if (!kept(timer, now.get(timer.id()))) {
        make(calls, timer);
      }
      byte[] setting = timer.settingBytes();
      InjectedBatch batch = calls.room(1, setting.length);
      calls.expect(
          batch.call(
              Sys.TIMER_SETTIME,
              batch.value(timer.id()),
              batch.value(0),
              batch.bytes(setting),
              batch.value(0)),
          "start timer " + timer.id());
    }
    calls.flush();
  }

  private static void make(Batches calls, PosixTimer timer) throws CaptureException {
    byte[] event = timer.event();
    InjectedBatch batch = calls.room(3, event.length + 64);
    byte[] number =
        ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(timer.id()).array();
    calls.expect(
        restoreNumbers(batch, Sys.PR_TIMER_CREATE_RESTORE_IDS_ON), "ask for a timer's old number");
    calls.expect(
        batch.call(
            Sys.TIMER_CREATE, batch.value(timer.clock()), batch.bytes(event), batch.bytes(number)),
        "make timer " + timer.id() + " again");
    restoreNumbers(batch, Sys.PR_TIMER_CREATE_RESTORE_IDS_OFF);
  }
}
