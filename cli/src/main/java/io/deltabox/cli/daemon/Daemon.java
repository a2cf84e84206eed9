package io.deltabox.cli.daemon;

import io.deltabox.DeltaBox;
import io.deltabox.DeltaBoxConfig;
import io.deltabox.InvalidRequestException;
import io.deltabox.cli.ExitCodes;
import io.deltabox.linux.Errno;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Accepts clients and runs one verb for each. Lock order: this, then nothing. Thread-safe. */
final class Daemon implements AutoCloseable {
  private static final Logger LOG = System.getLogger(Daemon.class.getName());

  /** Two threads per session: 256 callers at a time. */
  private static final int THREADS_MAX = 512;

  /** How long a session may take to end once it was called off. */
  private static final long END_SECONDS = 10;

  /** How long a session may take to end by itself once its sandbox has ended. */
  private static final long GRACE_SECONDS = 1;

  private final DataRoot root;
  private final Path socket;
  private final boolean temporary;
  private final CommandLines lines;
  private final int listener;
  private final Instant started = Instant.now();
  private final ExecutorService threads;
  private final Set<Session> sessions = new HashSet<>();
  private final CountDownLatch stopped = new CountDownLatch(1);
  private @Nullable DeltaBox box;
  private boolean ending;

  /**
   * Opens the socket.
   *
   * @param temporary true if the daemon must end with its first session
   */
  Daemon(DataRoot root, Path socket, boolean temporary) throws IOException {
    this.root = root;
    this.socket = socket;
    this.temporary = temporary;
    this.lines = new CommandLines();
    AtomicInteger number = new AtomicInteger();
    this.threads =
        new ThreadPoolExecutor(
            4,
            THREADS_MAX,
            60,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            task -> {
              Thread thread = new Thread(task, "session-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    this.listener =
        (int)
            Errno.check(
                CommandFunctions.NATIVE.dbx_command_listen(socket.toString()),
                "listen on socket=" + socket);
  }

  DataRoot root() {
    return root;
  }

  Path sockets() {
    Path parent = socket.getParent();
    return parent == null ? Path.of("/") : parent;
  }

  boolean temporary() {
    return temporary;
  }

  /** Ends the sandboxes of a daemon that was made for one command whose caller is gone. */
  void abandon() {
    DeltaBox open;
    synchronized (this) {
      open = box;
    }
    if (open != null) {
      open.close();
    }
  }

  private DeltaBoxConfig config() throws IOException {
    try {
      return DeltaBoxConfig.of(root.path());
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(e.getMessage() + " (the daemon was started with it)");
    }
  }

  synchronized DeltaBox box() throws IOException {
    DeltaBox open = box;
    if (open == null) {
      if (ending) {
        throw new IOException("the daemon is being stopped");
      }
      open = DeltaBox.open(config());
      box = open;
    }
    return open;
  }

  synchronized Map<String, Object> status() {
    Map<String, Object> status = new LinkedHashMap<>();
    status.put("running", true);
    status.put("pid", ProcessHandle.current().pid());
    status.put("data", root.path().toString());
    status.put("socket", socket.toString());
    status.put("log", root.path().resolve("log/daemon.log").toString());
    status.put("started", started.toString());
    status.put("sandboxes", box == null ? 0 : box.sandboxes().size());
    return status;
  }

  /** Accepts until {@link #end}. */
  void serve() {
    lines.warm();
    for (; ; ) {
      int fd = CommandFunctions.NATIVE.dbx_command_accept(listener);
      if (fd == -Errno.EPERM) {
        LOG.log(Level.WARNING, "turned away a caller of another user");
        continue;
      }
      if (fd < 0) {
        if (fd != -Errno.EINVAL) {
          LOG.log(Level.ERROR, "accept failed: " + Errno.text(-fd));
        }
        return;
      }
      try {
        threads.execute(() -> run(fd));
      } catch (RejectedExecutionException e) {
        LOG.log(Level.WARNING, "too many callers at a time: limit=" + THREADS_MAX / 2);
        CommandFunctions.NATIVE.dbx_command_close(fd);
      }
    }
  }

  private void run(int fd) {
    try (Connection connection = new Connection(fd)) {
      Connection.Opening opening = connection.open();
      Request request;
      try {
        request = Request.parse(opening.frame().body());
      } catch (IOException e) {
        request = Request.malformed(String.valueOf(e.getMessage()));
      }
      run(connection, opening, request);
    } catch (IOException | RuntimeException e) {
      LOG.log(Level.DEBUG, "client left before its command ran", e);
    }
  }

  private void run(Connection connection, Connection.Opening opening, Request request)
      throws IOException {
    try (Session session = new Session(this, connection, opening, request)) {
      if (!enter(session)) {
        // The client has not heard that its command began and starts the next daemon.
        session.release();
        return;
      }
      CountDownLatch watched = new CountDownLatch(1);
      threads.execute(
          () -> {
            session.watch();
            watched.countDown();
          });
      int code = 1;
      try {
        connection.send(Connection.BEGUN, 0);
        code = lines.run(session);
      } finally {
        session.finish(code);
        connection.shutdown();
        awaitQuietly(watched);
        synchronized (this) {
          sessions.remove(session);
          notifyAll();
        }
      }
    }
    if (temporary) {
      end(null);
    }
  }

  private synchronized boolean enter(Session session) {
    return !ending && sessions.add(session);
  }

  private static void awaitQuietly(CountDownLatch latch) {
    // An interrupt here belongs to the verb that has just ended.
    boolean interrupted = true;
    while (interrupted) {
      try {
        latch.await();
        interrupted = false;
      } catch (InterruptedException e) {
        LOG.log(Level.TRACE, "interrupt after the end of a verb", e);
      }
    }
    Thread.interrupted();
  }

  /**
   * Ends all sandboxes and all sessions but {@code self}; idempotent.
   *
   * @param self the session that asked for it
   */
  void end(@Nullable Session self) throws IOException {
    DeltaBox last;
    synchronized (this) {
      if (ending) {
        return;
      }
      ending = true;
      last = box;
      CommandFunctions.NATIVE.dbx_command_shutdown(listener);
    }
    try {
      // Callers that wait for a command hear what became of it; the rest is called off.
      if (last != null) {
        last.close();
      }
      if (!awaitSessions(self, GRACE_SECONDS)) {
        sessionsBut(self).forEach(session -> session.cancel(ExitCodes.FAILED));
        awaitEndOfSessions(self);
      }
      root.takeEnded();
    } finally {
      stopped.countDown();
    }
  }

  private synchronized List<Session> sessionsBut(@Nullable Session self) {
    return sessions.stream().filter(session -> session != self).toList();
  }

  private void awaitEndOfSessions(@Nullable Session self) {
    if (!awaitSessions(self, END_SECONDS)) {
      LOG.log(Level.WARNING, "sessions do not end: count=" + sessionsBut(self).size());
    }
  }

  private synchronized boolean awaitSessions(@Nullable Session self, long seconds) {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    try {
      while (!sessionsBut(self).isEmpty()) {
        long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
        if (left <= 0) {
          return false;
        }
        wait(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return true;
  }

  /** Waits until the daemon was told to end and its last session has answered. */
  void awaitEnd() throws InterruptedException {
    stopped.await();
    awaitEndOfSessions(null);
  }

  @Override
  public void close() throws IOException {
    CommandFunctions.NATIVE.dbx_command_close(listener);
    Files.deleteIfExists(socket);
    threads.shutdownNow();
    deleteEmpty(sockets());
  }

  private static void deleteEmpty(Path directory) {
    try {
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "directory of the sockets stays", e);
    }
  }
}
