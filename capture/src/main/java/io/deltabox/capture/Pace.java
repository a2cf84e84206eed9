package io.deltabox.capture;

import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * How the tracing thread works beside a sandbox that runs: in short bursts before everybody else,
 * with short rests between.
 *
 * <p>On a machine whose processors are all busy, a thread of the sandbox that has to make room for
 * an ordinary thread gets its processor back with the next tick of the scheduler at the earliest:
 * up to 10 ms later, many times the length of a pause. A real-time thread takes a processor at once
 * and gives it back when it sleeps, so nothing in the sandbox waits for longer than a burst. Work
 * that takes long goes on as an ordinary thread: it would take a processor's better part otherwise.
 *
 * <p>Used on the tracing thread only; without the right to real time it does nothing.
 */
final class Pace {
  private static final long BURST_NANOS = 120_000;
  private static final long REST_NANOS = 40_000;

  /** All bursts of one piece of work. */
  private static final long WORK_NANOS_MAX = 20_000_000;

  private final @Nullable Tracer tracer;
  private boolean on;
  private long burstStart;
  private long worked;

  Pace(Tracer tracer) {
    this.tracer = tracer;
  }

  private Pace() {
    this.tracer = null;
  }

  /** For work that is beside no sandbox. */
  static Pace none() {
    return new Pace();
  }

  /** Begins a piece of work. */
  void begin() {
    on = tracer != null && tracer.calls.dbx_engine_pace(tracer.handle(), 1) >= 0;
    burstStart = System.nanoTime();
    worked = 0;
  }

  /** Whether work is done in bursts now. */
  boolean on() {
    return on;
  }

  /** Called often while working. */
  void point() {
    if (on && System.nanoTime() - burstStart > BURST_NANOS) {
      rest();
    }
  }

  /** Lets the others run now. */
  void rest() {
    if (!on) {
      return;
    }
    worked += System.nanoTime() - burstStart;
    if (worked > WORK_NANOS_MAX) {
      end();
      return;
    }
    LockSupport.parkNanos(REST_NANOS);
    burstStart = System.nanoTime();
  }

  /** Ends the piece of work. */
  void end() {
    if (on && tracer != null) {
      on = false;
      tracer.calls.dbx_engine_pace(tracer.handle(), 0);
    }
  }
}
