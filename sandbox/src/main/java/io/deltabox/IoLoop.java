package io.deltabox;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The one thread of a box that waits for output and for messages of all its sandboxes.
 *
 * <p>Everything that touches a watched descriptor runs on this thread: handlers, and tasks given to
 * {@link #execute}. Nothing here may block.
 */
final class IoLoop implements AutoCloseable {
  static final int READABLE = 1;
  static final int READ_BYTES = 64 << 10;

  private static final int EVENTS_MAX = 64;
  private static final int EVENT_BYTES = 16;
  private static final long WAKE_KEY = 0;

  /** What is called on the loop's thread when a descriptor is ready. */
  interface Handler {
    void ready();
  }

  private final SandboxFunctions.Calls calls = SandboxFunctions.get();
  private final Descriptor epoll;
  private final Descriptor wake;
  private final Memory events;
  private final Memory buffer;
  private final Memory wakeValue;
  private final Map<Long, Handler> handlers = new ConcurrentHashMap<>();
  private final AtomicLong keys = new AtomicLong(WAKE_KEY);
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final Thread thread;
  private volatile boolean closed;

  IoLoop() throws IOException {
    epoll = Descriptor.of(calls.dbx_sandbox_epoll(), "make epoll");
    wake = Descriptor.of(calls.dbx_sandbox_eventfd(), "make eventfd");
    events = Memory.allocate((long) EVENTS_MAX * EVENT_BYTES, Memory.Touch.NOW);
    buffer = Memory.allocate(READ_BYTES, Memory.Touch.NOW);
    wakeValue = Memory.allocate(8, Memory.Touch.NOW);
    wakeValue.slice(0, 8).putLong(0, 1);
    watch(wake, WAKE_KEY);
    thread = new Thread(this::run, "deltabox-io");
    thread.setDaemon(true);
    thread.start();
  }

  /** A key for a descriptor to be watched. */
  long register(Handler handler) {
    long key = keys.incrementAndGet();
    handlers.put(key, handler);
    return key;
  }

  /** Calls the key's handler whenever {@code fd} is readable or hung up. */
  void watch(Descriptor fd, long key) throws IOException {
    Errno.check(
        calls.dbx_sandbox_epoll_set(epoll.fd(), fd.fd(), READABLE, key), "watch descriptor");
  }

  /** Stops watching; the key stays. */
  void unwatch(Descriptor fd) {
    calls.dbx_sandbox_epoll_set(epoll.fd(), fd.fd(), 0, 0);
  }

  void unregister(long key) {
    handlers.remove(key);
  }

  /** Runs a task on the loop's thread, after what was given before. */
  void execute(Runnable task) {
    tasks.add(task);
    if (wake.open()) {
      calls.dbx_sandbox_write(wake.fd(), wakeValue.address(), 8);
    }
  }

  boolean onThread() {
    return Thread.currentThread() == thread;
  }

  /** The loop's read buffer; for use on its thread only. */
  Memory buffer() {
    return buffer;
  }

  private void run() {
    ByteBuffer view = events.slice(0, EVENTS_MAX * EVENT_BYTES);
    while (!closed) {
      int count = calls.dbx_sandbox_epoll_wait(epoll.fd(), events.address(), EVENTS_MAX, -1);
      for (int i = 0; i < count; i++) {
        long key = view.getLong(i * EVENT_BYTES);
        if (key == WAKE_KEY) {
          calls.dbx_sandbox_read(wake.fd(), buffer.address(), 8);
        } else {
          call(handlers.get(key));
        }
      }
      for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
        guard(task);
      }
    }
  }

  private void call(@org.jspecify.annotations.Nullable Handler handler) {
    if (handler != null) {
      guard(handler::ready);
    }
  }

  /** One sandbox's bug must not end the output of all others. */
  private static void guard(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException e) {
      System.getLogger(IoLoop.class.getName())
          .log(System.Logger.Level.ERROR, "output of a sandbox failed", e);
    }
  }

  /** Ends the thread; watched descriptors stay open. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    execute(() -> closed = true);
    boolean interrupted = false;
    while (thread.isAlive() && !onThread()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    wake.close();
    epoll.close();
    events.close();
    buffer.close();
    wakeValue.close();
  }
}
