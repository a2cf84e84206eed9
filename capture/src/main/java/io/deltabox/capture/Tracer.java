package io.deltabox.capture;

import io.deltabox.capture.descriptors.Devices;
import io.deltabox.linux.ErrnoException;
import io.deltabox.linux.NativeLibrary;
import io.deltabox.linux.OptionalFeature;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that may trace a sandbox, and the native engine it owns. ptrace(2) knows threads,
 * not processes, so every native call is made here.
 */
final class Tracer implements AutoCloseable {
  private static final long SETTLE_MILLIS = 5;

  final EngineCalls calls = NativeLibrary.bind(EngineCalls.class);
  private final ScheduledThreadPoolExecutor thread;
  private final Pace pace = new Pace(this);
  private final Devices devices;
  private long handle;

  private Tracer(String name, Devices devices) {
    this.devices = devices;
    this.thread =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread made = new Thread(task, name);
              made.setDaemon(true);
              return made;
            });
    this.thread.setRemoveOnCancelPolicy(true);
  }

  static Tracer open(CaptureTarget target) throws IOException {
    Tracer tracer = new Tracer("deltabox-trace-" + target.name(), target.devices());
    int init = target.initPid();
    int without = OptionalFeature.bits(target.without());
    try {
      tracer.run(
          () -> {
            long handle = tracer.calls.dbx_engine_open(init, target.engineChannel(), without);
            if (handle < 0 && handle > -4096) {
              throw new ErrnoException((int) -handle, "open capture engine init=" + init);
            }
            tracer.handle = handle;
            return handle;
          });
    } catch (IOException e) {
      tracer.thread.shutdownNow();
      throw e;
    }
    return tracer;
  }

  /** The engine; only to be used on this thread. */
  long handle() {
    return handle;
  }

  /** The device numbers of the container. */
  Devices devices() {
    return devices;
  }

  /** How work beside the running sandbox is paced; only to be used on this thread. */
  Pace pace() {
    return pace;
  }

  /** Runs work on the tracing thread and waits for it. */
  <T> T run(Callable<T> work) throws IOException {
    Future<T> future = thread.submit(work);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return future.get();
        } catch (InterruptedException e) {
          // A half-done window cannot be left: wait for it, and tell the caller afterwards.
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      throw rethrow(e.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static IOException rethrow(@Nullable Throwable cause) {
    if (cause instanceof InterruptedIOException e) {
      return e;
    }
    if (cause instanceof CaptureException e) {
      return e;
    }
    if (cause instanceof IOException e) {
      return e;
    }
    if (cause instanceof Error e) {
      throw e;
    }
    throw new IllegalStateException("capture failed: " + cause, cause);
  }

  /**
   * Lets everything run again.
   *
   * @return when it ran, by {@link System#nanoTime}
   */
  long thaw() {
    calls.dbx_engine_thaw(handle);
    long now = System.nanoTime();
    calls.dbx_engine_calm(handle);
    // A task that was killed meanwhile is still ours, and its parent does not hear of it.
    settleLater();
    return now;
  }

  /** Lets tasks go that stopped after the deadline of a failed stop, as soon as they do. */
  void settleLater() {
    Future<?> unused =
        thread.schedule(
            () -> {
              if (handle != 0 && calls.dbx_engine_settle(handle) > 0) {
                settleLater();
              }
            },
            SETTLE_MILLIS,
            TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    thread.execute(
        () -> {
          if (handle != 0) {
            calls.dbx_engine_close(handle);
            handle = 0;
          }
        });
    thread.shutdown();
  }
}
