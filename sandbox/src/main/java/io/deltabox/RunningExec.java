package io.deltabox;

import io.deltabox.linux.Errno;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A command and the daemon's ends of its input and output.
 *
 * <p>The status is guarded by this object; pumps belong to the loop's thread.
 */
final class RunningExec implements Exec {
  /** How a command is reached from outside; the sandbox. */
  interface Controls {
    void signal(int exec, int number) throws IOException;

    void kill(RunningExec exec) throws IOException;
  }

  private final int id;
  private final ExecSpec spec;
  private final Instant time;
  private final Controls controls;
  private final boolean lossless;
  private final IoLoop loop;
  private final ExecStreams streams;
  private final InputPipe input;
  private final OutputPump output;
  private final @Nullable OutputPump errors;
  private volatile int pid;
  private ExecStatus status = ExecStatus.RUNNING;
  private boolean timeIsOver;
  private volatile boolean pinned;
  private @Nullable Future<?> timer;

  RunningExec(
      int id,
      ExecSpec spec,
      Instant time,
      Controls controls,
      IoLoop loop,
      ExecStreams streams,
      boolean lossless) {
    this.id = id;
    this.spec = spec;
    this.time = time;
    this.controls = controls;
    this.lossless = lossless;
    this.loop = loop;
    this.streams = streams;
    this.input = new InputPipe(streams.input(), spec.tty() != null);
    this.output = new OutputPump(loop, streams.output(), lossless, this::retire);
    Descriptor errorSource = streams.errors();
    this.errors =
        errorSource == null ? null : new OutputPump(loop, errorSource, lossless, this::retire);
  }

  // What follows is for the sandbox.

  /** On the loop's thread: the program runs. */
  void started(int innerPid) {
    pid = innerPid;
    pumps().forEach(OutputPump::resume);
  }

  /** On the loop's thread: it has ended, or is told to have. */
  void ended(ExecStatus end) {
    pumps().forEach(OutputPump::drain);
    synchronized (this) {
      if (status.ended()) {
        return;
      }
      status =
          timeIsOver && end.outcome() == ExecStatus.Outcome.SIGNALED
              ? new ExecStatus(ExecStatus.Outcome.TIMED_OUT, 0)
              : end;
      cancelTimer();
      notifyAll();
    }
    retire();
  }

  /** On the loop's thread: a rollback made it run again, or made new writers for its pipes. */
  void goesOn() {
    synchronized (this) {
      status = ExecStatus.RUNNING;
    }
    pumps().forEach(OutputPump::reopen);
  }

  /** Its descriptors stay although it ends, because a snapshot contains it running. */
  void pin() {
    pinned = true;
  }

  boolean pinned() {
    return pinned;
  }

  /** What will end it when its time is over. */
  synchronized void setTimer(Future<?> future) {
    timer = future;
    cancelTimer();
  }

  private void cancelTimer() {
    // One that a rollback may bring back keeps its time.
    if (timer != null && status.ended() && !pinned) {
      timer.cancel(false);
    }
  }

  /** The next end by a signal is the end of its time. */
  synchronized boolean timeIsOver() {
    timeIsOver = !status.ended();
    return timeIsOver;
  }

  /** On the loop's thread: forgets its output and closes all descriptors. */
  void forget() {
    pumps().forEach(OutputPump::close);
    pumps().forEach(pump -> pump.tail().drop());
    input.abandon();
    streams.close();
  }

  /** On the loop's thread: closes all descriptors, keeps the output. */
  void close() {
    pumps().forEach(OutputPump::close);
    input.abandon();
    streams.close();
  }

  long keptBytes() {
    return pumps().stream().mapToLong(pump -> pump.tail().keptBytes()).sum();
  }

  /** The daemon's ends of its pipes, or of its terminal. */
  ExecStreams streams() {
    return streams;
  }

  /** What a snapshot has to know of it, while it runs. */
  CapturedExec captured() throws IOException {
    int terminal =
        spec.tty() == null
            ? -1
            : SandboxFunctions.get().dbx_sandbox_terminal_number(streams.output().fd());
    List<String> links = spec.tty() == null ? streams.links() : List.of();
    return new CapturedExec(id, spec, time, pid, lossless, links, terminal);
  }

  ExecResult result() {
    OutputTail out = output.tail();
    OutputTail err = errors == null ? new OutputTail(1, false, () -> {}) : errors.tail();
    return new ExecResult(
        id, status(), out.snapshot(), err.snapshot(), out.truncated(), err.truncated());
  }

  private void retire() {
    boolean over = status().ended() && !pinned;
    if (over && pumps().stream().allMatch(OutputPump::endOfFile)) {
      close();
    }
  }

  private List<OutputPump> pumps() {
    List<OutputPump> pumps = new ArrayList<>();
    pumps.add(output);
    if (errors != null) {
      pumps.add(errors);
    }
    return pumps;
  }

  // The public part.

  @Override
  public int id() {
    return id;
  }

  @Override
  public ExecSpec spec() {
    return spec;
  }

  @Override
  public int pid() {
    return pid;
  }

  @Override
  public Instant time() {
    return time;
  }

  @Override
  public synchronized ExecStatus status() {
    return status;
  }

  @Override
  public OutputStream stdin() {
    return input;
  }

  @Override
  public InputStream stdout() {
    return output.tail().open();
  }

  @Override
  public InputStream stderr() {
    return errors == null ? InputStream.nullInputStream() : errors.tail().open();
  }

  @Override
  public synchronized ExecStatus waitFor() throws InterruptedException {
    while (!status.ended()) {
      wait();
    }
    return status;
  }

  @Override
  public synchronized Optional<ExecStatus> waitFor(Duration timeout) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (!status.ended()) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        return Optional.empty();
      }
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
    return Optional.of(status);
  }

  @Override
  public void signal(int number) throws IOException {
    if (number < 1 || number > 64) {
      throw new InvalidRequestException("no such signal: number=" + number + " expected=1..64");
    }
    if (!status().ended()) {
      controls.signal(id, number);
    }
  }

  @Override
  public void kill() throws IOException {
    controls.kill(this);
  }

  @Override
  public void resize(TerminalSize size) throws IOException {
    if (spec.tty() == null) {
      throw new InvalidRequestException("resize: the command has no terminal: exec=" + id);
    }
    CompletableFuture<Integer> done = new CompletableFuture<>();
    // On the thread that closes it, so that it is not closed meanwhile.
    loop.execute(() -> done.complete(resizeNow(size)));
    Errno.check(done.join(), "set size of the terminal exec=" + id);
  }

  private int resizeNow(TerminalSize size) {
    Descriptor terminal = streams.output();
    return terminal.open()
        ? SandboxFunctions.get().dbx_sandbox_window(terminal.fd(), size.rows(), size.columns())
        : 0;
  }

  @Override
  public String toString() {
    return "exec " + id + " " + spec.argv() + " " + status().outcome();
  }
}
