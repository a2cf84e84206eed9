package io.deltabox;

import io.deltabox.linux.Errno;
import io.deltabox.linux.ErrnoException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The commands of one sandbox: starts them through pid 1, hears of their ends, keeps their output.
 *
 * <p>Pid 1 is inside the sandbox, so what it says is checked: reports about commands it was not
 * asked for are ignored, and one that is no report at all ends the sandbox.
 *
 * <p>Reports carry the number of rollbacks pid 1 knows of. One that is older than the last rollback
 * speaks of a process that is no more; one that is newer waits for {@link #afterRollback}.
 */
final class Commands implements RunningExec.Controls {
  /** Finished commands remembered. */
  private static final int FINISHED_MAX = 1000;

  /** Output of finished commands kept together. */
  private static final long FINISHED_BYTES_MAX = 64L << 20;

  private static final int START_SECONDS = 30;
  private static final int SIGKILL = 9;

  /** What a rollback did to the commands, by id. */
  record RollbackOutcome(List<Integer> rolledBack, List<Integer> goesOn) {}

  private volatile SandboxHost host;
  private final IoLoop loop;
  private final ScheduledExecutorService timer;
  private final Clock clock;
  private final Runnable whenGone;
  private final long controlKey;
  private final AtomicInteger lastId = new AtomicInteger();
  private final Map<Integer, RunningExec> execs = new ConcurrentSkipListMap<>();
  private final Map<Integer, CompletableFuture<InitMessage>> starting = new ConcurrentHashMap<>();
  private final List<InitMessage> early = new ArrayList<>();
  private final List<ExecStreams> revived = new ArrayList<>();
  private final Map<String, String> formerLinks = new ConcurrentHashMap<>();
  private int generation;
  private volatile boolean gone;

  /**
   * @param whenGone called once, on the loop's thread, when pid 1 has gone; must not block
   */
  Commands(
      SandboxHost host, IoLoop loop, ScheduledExecutorService timer, Clock clock, Runnable whenGone)
      throws IOException {
    this.host = host;
    this.loop = loop;
    this.timer = timer;
    this.clock = clock;
    this.whenGone = whenGone;
    this.controlKey = loop.register(this::receive);
    loop.watch(host.control().socket(), controlKey);
  }

  boolean gone() {
    return gone;
  }

  Collection<RunningExec> all() {
    return execs.values();
  }

  @Nullable RunningExec get(int id) {
    return execs.get(id);
  }

  /** Starts a command whose values were checked; returns when its program runs. */
  RunningExec start(ExecSpec spec, Map<String, String> env, boolean lossless) throws IOException {
    if (gone) {
      throw new SandboxClosedException("the sandbox has ended");
    }
    int id = lastId.incrementAndGet();
    ExecStreams streams = ExecStreams.open(spec, host);
    RunningExec exec = new RunningExec(id, spec, clock.instant(), this, loop, streams, lossless);
    execs.put(id, exec);
    boolean started = false;
    try {
      request(exec, env);
      started = true;
    } finally {
      streams.closeGiven();
      if (!started) {
        execs.remove(id);
        loop.execute(exec::forget);
        host.cgroups().removeCommand(id);
      }
    }
    limitTime(exec);
    return exec;
  }

  private void request(RunningExec exec, Map<String, String> env) throws IOException {
    ExecSpec spec = exec.spec();
    List<String> strings = new ArrayList<>(spec.argv());
    env.forEach((key, value) -> strings.add(key + "=" + value));
    String cwd = spec.cwd();
    strings.add(cwd == null ? "" : cwd);
    Path group = host.cgroups().makeCommand(exec.id());
    CompletableFuture<InitMessage> answer = new CompletableFuture<>();
    starting.put(exec.id(), answer);
    List<Descriptor> own = new ArrayList<>();
    try {
      own.add(Descriptor.ofBytes(SandboxHost.Strings.pack(strings)));
      List<Descriptor> given = new ArrayList<>(own);
      given.addAll(exec.streams().given());
      int flags = spec.tty() == null ? 0 : InitChannel.FLAG_TTY;
      if (group != null) {
        flags |= InitChannel.FLAG_CGROUP;
        Descriptor directory =
            Descriptor.open(Descriptor.NOWHERE, group.toString(), Descriptor.O_RDONLY);
        own.add(directory);
        given.add(directory);
      }
      host.control()
          .start(
              new InitChannel.Start(
                  exec.id(), flags, spec.uid(), spec.gid(), spec.argv().size(), env.size()),
              given);
      InitMessage message = await(answer);
      if (message.kind() == InitMessage.Kind.FAILED) {
        throw StartFailure.of(spec, message.stage(), message.status(), host.baseDigest());
      }
    } catch (ErrnoException e) {
      if (gone) {
        throw new SandboxClosedException("the sandbox has ended");
      }
      throw e;
    } finally {
      starting.remove(exec.id());
      own.forEach(Descriptor::close);
    }
  }

  private InitMessage await(CompletableFuture<InitMessage> answer) throws IOException {
    try {
      return answer.get(START_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new java.io.InterruptedIOException("interrupted while starting a command");
    } catch (ExecutionException e) {
      throw new SandboxClosedException("the sandbox ended while a command was being started");
    } catch (TimeoutException e) {
      throw new SandboxException(
          "start command failed: pid 1 of the sandbox does not answer, seconds=" + START_SECONDS);
    }
  }

  private void limitTime(RunningExec exec) {
    var timeout = exec.spec().timeout();
    if (timeout == null) {
      return;
    }
    exec.setTimer(
        timer.schedule(
            () -> {
              if (exec.timeIsOver()) {
                kill(exec);
              }
              return exec.id();
            },
            timeout.toNanos(),
            TimeUnit.NANOSECONDS));
  }

  @Override
  public void signal(int exec, int number) throws IOException {
    host.control().signal(exec, number);
  }

  @Override
  public void kill(RunningExec exec) throws IOException {
    if (gone) {
      return;
    }
    // An orphan that a rollback made again may be outside the command's group.
    host.cgroups().killCommand(exec.id());
    if (!exec.status().ended()) {
      signal(exec.id(), SIGKILL);
    }
  }

  // Reports, on the loop's thread.

  private void receive() {
    while (!gone) {
      try {
        InitChannel.Received received = host.control().receive(0);
        if (received == null) {
          lose();
          return;
        }
        received.descriptors().forEach(Descriptor::close);
        handle(received.message());
      } catch (ErrnoException e) {
        if (e.errno() == Errno.ETIMEDOUT || e.errno() == Errno.EAGAIN) {
          return;
        }
        distrust(e);
      } catch (IOException e) {
        distrust(e);
      }
    }
  }

  private void distrust(IOException e) {
    System.getLogger(Commands.class.getName())
        .log(System.Logger.Level.WARNING, "sandbox is ended: {0}", e.getMessage());
    lose();
  }

  private void handle(InitMessage message) {
    switch (message.kind()) {
      case STARTED, FAILED -> {
        CompletableFuture<InitMessage> answer = starting.remove(message.exec());
        RunningExec exec = execs.get(message.exec());
        if (answer != null && exec != null) {
          if (message.kind() == InitMessage.Kind.STARTED) {
            exec.started(message.pid());
          }
          answer.complete(message);
        }
      }
      case EXITED -> {
        if (message.generation() == generation) {
          ended(message);
        } else if (message.generation() - generation > 0 && early.size() < FINISHED_MAX) {
          early.add(message);
        }
      }
      case HELLO, READY, BROKEN -> {}
    }
  }

  private void ended(InitMessage message) {
    RunningExec exec = execs.get(message.exec());
    if (exec == null || exec.pid() != message.pid()) {
      return;
    }
    // Before anybody hears of the end and puts the command back to life in a group of this name.
    host.cgroups().removeCommand(exec.id());
    exec.ended(statusOf(message.status()));
    prune();
  }

  /** As wait(2) lays it out; -1 if nobody saw it. */
  private static ExecStatus statusOf(int status) {
    if (status == -1) {
      return new ExecStatus(ExecStatus.Outcome.EXITED, 255);
    }
    int signal = status & 0x7f;
    return signal == 0
        ? new ExecStatus(ExecStatus.Outcome.EXITED, (status >> 8) & 0xff)
        : new ExecStatus(ExecStatus.Outcome.SIGNALED, signal);
  }

  private void prune() {
    long bytes = 0;
    int count = 0;
    List<RunningExec> newestFirst = new ArrayList<>(execs.values());
    java.util.Collections.reverse(newestFirst);
    for (RunningExec exec : newestFirst) {
      if (!exec.status().ended()) {
        continue;
      }
      bytes += exec.keptBytes();
      count++;
      if (!exec.pinned() && (bytes > FINISHED_BYTES_MAX || count > FINISHED_MAX)) {
        execs.remove(exec.id());
        exec.forget();
      }
    }
  }

  private void lose() {
    if (gone) {
      return;
    }
    gone = true;
    loop.unwatch(host.control().socket());
    loop.unregister(controlKey);
    for (RunningExec exec : execs.values()) {
      exec.ended(new ExecStatus(ExecStatus.Outcome.SANDBOX_ENDED, 0));
    }
    starting.values().forEach(f -> f.completeExceptionally(new IOException("sandbox ended")));
    whenGone.run();
  }

  // For the capture engine.

  /** The container is given up: its end is no end of the sandbox. */
  void leave() {
    onLoop(() -> loop.unwatch(host.control().socket()));
  }

  /** The sandbox goes on in another container; {@link #afterRollback} puts the commands right. */
  void enter(SandboxHost next) throws IOException {
    CompletableFuture<Boolean> done = new CompletableFuture<>();
    loop.execute(
        () -> {
          try {
            host = next;
            generation = 0;
            early.clear();
            loop.watch(next.control().socket(), controlKey);
            done.complete(true);
          } catch (IOException e) {
            done.completeExceptionally(e);
          }
        });
    try {
      done.join();
    } catch (java.util.concurrent.CompletionException e) {
      throw new SandboxException("listen to a new container failed: " + e.getCause(), e);
    }
  }

  /** There is no container any more. */
  void end() {
    onLoop(this::lose);
  }

  private void onLoop(Runnable work) {
    CompletableFuture<Boolean> done = new CompletableFuture<>();
    loop.execute(
        () -> {
          work.run();
          done.complete(true);
        });
    done.join();
  }

  /** Those of the given commands that run, as a snapshot has to know them. */
  List<CapturedExec> captured(Set<Integer> ids) throws IOException {
    List<CapturedExec> captured = new ArrayList<>();
    for (int id : ids) {
      RunningExec exec = execs.get(id);
      if (exec != null) {
        captured.add(exec.captured());
      }
    }
    return captured;
  }

  /**
   * Makes the commands of a snapshot known under their ids, with new pipes and terminals; for a
   * sandbox that has none yet. {@link #afterRollback} tells them that they run.
   */
  void revive(List<CapturedExec> captured) throws IOException {
    for (CapturedExec one : captured) {
      ExecStreams streams = ExecStreams.open(one, host);
      streams.closeLike(one.links());
      List<String> links = one.links().isEmpty() ? List.of() : streams.links();
      for (int i = 0; i < links.size(); i++) {
        formerLinks.put(one.links().get(i), links.get(i));
      }
      RunningExec exec =
          new RunningExec(one.id(), one.spec(), one.time(), this, loop, streams, one.lossless());
      exec.pin();
      execs.put(one.id(), exec);
      lastId.accumulateAndGet(one.id(), Math::max);
      loop.execute(() -> exec.started(one.pid()));
      limitTime(exec);
      // The slave stays open until somebody inside has it: a terminal nobody has hangs up.
      revived.add(streams);
    }
  }

  /**
   * The daemon's end of a command's pipe, or null.
   *
   * @param link what it was called at a snapshot, which may have been made in another sandbox
   */
  @Nullable Integer end(String link) throws IOException {
    String now = formerLinks.getOrDefault(link, link);
    for (RunningExec exec : execs.values()) {
      Descriptor end = exec.streams().end(now);
      if (end != null) {
        return end.fd();
      }
    }
    return null;
  }

  /** Closes the inner ends that {@link #revive} made; the sandbox has its own now. */
  void closeRevived() {
    revived.forEach(ExecStreams::closeGiven);
    revived.clear();
  }

  /**
   * Tells that a snapshot is about to contain the running commands: their pipes and terminals are
   * kept from now on, so that a rollback can give them back.
   *
   * @return their ids
   */
  Set<Integer> capture() {
    Set<Integer> running = new HashSet<>();
    for (RunningExec exec : execs.values()) {
      if (!exec.status().ended()) {
        exec.pin();
        running.add(exec.id());
      }
    }
    return running;
  }

  /**
   * Puts the commands to what a rollback left. May be called before or after the thaw.
   *
   * @param captured what {@link #capture} said for the target
   * @param livePids processes inside that live now
   * @param told pid 1 was told of this rollback, because it ended processes: reports of before are
   *     void then
   */
  RollbackOutcome afterRollback(Set<Integer> captured, Set<Integer> livePids, boolean told)
      throws IOException {
    CompletableFuture<RollbackOutcome> done = new CompletableFuture<>();
    loop.execute(() -> done.complete(reconcile(captured, livePids, told)));
    RollbackOutcome outcome = done.join();
    for (RunningExec exec : execs.values()) {
      // Also one that ran all the time: its process may be another one now.
      boolean lives = captured.contains(exec.id()) && livePids.contains(exec.pid());
      if (lives && (told || outcome.goesOn().contains(exec.id()))) {
        host.control().adopt(exec.id(), exec.pid());
      }
    }
    return outcome;
  }

  private RollbackOutcome reconcile(Set<Integer> captured, Set<Integer> livePids, boolean told) {
    receive();
    if (told) {
      generation++;
    }
    List<Integer> rolledBack = new ArrayList<>();
    List<Integer> goesOn = new ArrayList<>();
    for (RunningExec exec : execs.values()) {
      boolean lives = captured.contains(exec.id()) && livePids.contains(exec.pid());
      boolean ran = !exec.status().ended();
      if (lives && !ran && !told) {
        // It ended after the thaw: nothing is made again without pid 1 being told.
        continue;
      }
      if (lives) {
        exec.goesOn();
      }
      if (lives && !ran) {
        goesOn.add(exec.id());
      } else if (!lives && ran) {
        exec.ended(new ExecStatus(ExecStatus.Outcome.ROLLED_BACK, 0));
        rolledBack.add(exec.id());
      }
    }
    List<InitMessage> held = List.copyOf(early);
    early.clear();
    held.forEach(this::handle);
    return new RollbackOutcome(rolledBack, goesOn);
  }

  /** Ends all commands for the daemon and closes their descriptors. */
  void close() {
    CompletableFuture<Boolean> done = new CompletableFuture<>();
    loop.execute(
        () -> {
          lose();
          execs.values().forEach(RunningExec::close);
          done.complete(true);
        });
    done.join();
  }
}
