package io.deltabox.capture;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The buffers of the two windows: request, result and arena. The arena is populated ahead, and
 * grows when a window says it needs more; the sandbox has run on then and the window is tried
 * again. Used on the tracing thread only.
 */
final class Window implements AutoCloseable {
  private static final int REQUEST_BYTES = 40;
  private static final int HOLD = 1;
  private static final int ENOBUFS = 105;

  /** {@code enum dbx_step}. */
  private static final List<String> STEPS =
      List.of("stop", "threads", "regions", "scan", "pages", "objects", "descriptors", "files");

  private static final int TRIES_MAX = 4;

  /**
   * A machine with more to do than processors lets a task wait for longer than one deadline. All
   * runs on in between, so that such a task gets its turn.
   */
  private static final int STOPS_MAX = 20;

  private static final long ARENA_FIRST = 8L << 20;

  /** A list of the most regions a process may have, with names. */
  private static final long ASIDE_BYTES = 32L << 20;

  /**
   * Java's buffers end at 2 GiB; more than this written between two checkpoints is copied ahead
   * while the sandbox runs.
   */
  private static final long ARENA_MAX = 2000L << 20;

  /** Whether the sandbox stays stopped after a successful window. */
  enum After {
    THAW,
    HOLD
  }

  private final Tracer tracer;
  private final Memory control;
  private final Memory aside;
  private Memory arena;

  Window(Tracer tracer) throws IOException {
    this.tracer = tracer;
    this.control = Memory.allocate(4096, Memory.Touch.NOW);
    this.aside = Memory.allocate(ASIDE_BYTES, Memory.Touch.LATER);
    this.arena = Memory.allocate(ARENA_FIRST, Memory.Touch.NOW);
  }

  /** Room for answers while the arena's records are still in use. */
  Memory aside() {
    return aside;
  }

  Memory arena() {
    return arena;
  }

  ByteBuffer result() {
    return control.slice(REQUEST_BYTES, WindowTimes.BYTES);
  }

  WindowTimes times() {
    return WindowTimes.read(result());
  }

  /** Stops, reads everything, and thaws unless told to hold. */
  void checkpoint(int deadlineMillis, After after, FilesPart files) throws IOException {
    run("checkpoint", deadlineMillis, after, files);
  }

  /** Stops and looks; on success the sandbox stays stopped. */
  void freeze(int deadlineMillis) throws IOException {
    run("rollback", deadlineMillis, After.HOLD, null);
  }

  /** The records of the last window. */
  WindowRecords records() {
    return WindowRecords.parse(recordBytes(), arena.address(), tracer.devices());
  }

  /** All records of the last window as they lie in the arena; valid until the next. */
  ByteBuffer recordBytes() {
    return arena.slice(0, (int) result().getLong(WindowTimes.NEED));
  }

  private void run(String what, int deadlineMillis, After after, @Nullable FilesPart files)
      throws IOException {
    int stops = 1;
    for (int tries = 1; ; ) {
      ByteBuffer request = control.slice(0, REQUEST_BYTES);
      Memory plan = files == null ? null : files.plan();
      request.putLong(arena.address()).putLong(arena.size());
      request.putLong(plan == null ? 0 : plan.address()).putLong(plan == null ? 0 : plan.size());
      request.putInt(deadlineMillis).putInt(after == After.HOLD ? HOLD : 0);
      long resultAddress = control.address() + REQUEST_BYTES;
      int result =
          what.equals("checkpoint")
              ? tracer.calls.dbx_engine_checkpoint(
                  tracer.handle(), control.address(), resultAddress)
              : tracer.calls.dbx_engine_freeze(tracer.handle(), control.address(), resultAddress);
      if (result >= 0) {
        return;
      }
      if (result == -Errno.ETIMEDOUT && stops++ < STOPS_MAX) {
        continue;
      }
      if (result != -ENOBUFS || tries++ == TRIES_MAX) {
        tracer.settleLater();
        throw failure(what, -result);
      }
      boolean roomier = files != null && files.makeRoom();
      long need = result().getLong(WindowTimes.NEED);
      if (need > arena.size() || !roomier) {
        grow(what, need);
      }
    }
  }

  private void grow(String what, long need) throws IOException {
    long wanted = Math.max(2 * need, arena.size());
    if (need > ARENA_MAX) {
      throw new CaptureException(
          what
              + " failed: too much changed at once: need_bytes="
              + need
              + " limit_bytes="
              + ARENA_MAX);
    }
    Memory larger = Memory.allocate(Math.min(wanted, ARENA_MAX), Memory.Touch.NOW);
    arena.close();
    arena = larger;
  }

  private CaptureException failure(String what, int errno) {
    int culprit = result().getInt(WindowTimes.CULPRIT);
    String why =
        errno == Errno.ETIMEDOUT
            ? "a task did not stop in time (uninterruptible, or waiting for a vfork child)"
            : Errno.text(errno);
    int step = result().getInt(WindowTimes.STEP);
    String where = step >= 0 && step < STEPS.size() ? STEPS.get(step) : "?";
    return new CaptureException(
        what + " failed, the sandbox runs on: " + why + " step=" + where + " host_pid=" + culprit);
  }

  @Override
  public void close() {
    arena.close();
    aside.close();
    control.close();
  }
}
