package io.deltabox.cli.verbs;

import io.deltabox.Exec;
import io.deltabox.ExecSpec;
import io.deltabox.ExecStatus;
import io.deltabox.Sandbox;
import io.deltabox.TerminalSize;
import io.deltabox.cli.CommandContext;
import io.deltabox.cli.ExitCodes;
import io.deltabox.linux.ErrnoException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.System.Logger.Level;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** Connects the caller's descriptors with a command until it ends. */
final class Streamer {
  private static final System.Logger LOG = System.getLogger(Streamer.class.getName());
  private static final int BUFFER_BYTES = 64 << 10;
  private static final int EPIPE = 32;
  private static final int SIGPIPE = 13;
  private static final int SIGHUP = 1;

  private final CommandContext context;
  private final Exec exec;
  private final InputStream out;
  private final InputStream err;
  private final OutputStream output;
  private final OutputStream errors;

  private Streamer(CommandContext context, Exec exec, OutputStream output, OutputStream errors) {
    this.context = context;
    this.exec = exec;
    this.out = exec.stdout();
    this.err = exec.stderr();
    this.output = output;
    this.errors = errors;
  }

  /**
   * Follows a command until it ends: as the caller's own output and errors or, with {@code --json},
   * as one answer with the end of both.
   *
   * @return the exit code of the verb: the command's, as a shell would say it
   */
  static int follow(Verb verb, Sandbox sandbox, Exec exec, Orphan orphan)
      throws IOException, InterruptedException {
    CommandContext context = verb.context;
    if (!verb.json) {
      int code = new Streamer(context, exec, context.output(), context.errors()).run(orphan);
      sayEnd(context, exec.status());
      return code;
    }
    OutputEnd output = new OutputEnd(Exec.OUTPUT_KEPT_MAX);
    OutputEnd errors = new OutputEnd(Exec.OUTPUT_KEPT_MAX);
    int code = new Streamer(context, exec, output, errors).run(orphan);
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("sandbox", sandbox.id().toString());
    value.putAll(Describe.exec(exec));
    value.put("stdout", output.text());
    value.put("stderr", errors.text());
    value.put("stdout_bytes_lost", output.lost());
    value.put("stderr_bytes_lost", errors.lost());
    verb.answer(value, "");
    return code;
  }

  /** What becomes of the command when its caller goes away. */
  enum Orphan {
    KILLED,
    GOES_ON
  }

  private int run(Orphan orphan) throws IOException, InterruptedException {
    boolean terminal = exec.spec().tty() != null;
    boolean raw = terminal && context.terminal(0);
    context.out().flush();
    context.err().flush();
    context.onSignal(this::signal);
    if (terminal) {
      context.onResize(this::resize);
    }
    Thread verb = Thread.currentThread();
    context.onCancel(() -> cancel(orphan, verb));
    try {
      if (raw) {
        context.raw(true);
      }
      if (exec.spec().stdin() == ExecSpec.Stdin.PIPE) {
        background("input", this::pumpInput);
      }
      CountDownLatch errorsDone = new CountDownLatch(1);
      background(
          "errors",
          () -> {
            pump(err, errors);
            errorsDone.countDown();
          });
      pump(out, output);
      errorsDone.await();
      return code(exec.waitFor());
    } finally {
      context.onSignal(null);
      context.onResize(null);
      context.onCancel(null);
      if (context.cancelled()) {
        // The interrupt was meant for the waiting above only.
        Thread.interrupted();
      }
      if (raw) {
        context.raw(false);
      }
    }
  }

  private static void sayEnd(CommandContext context, ExecStatus status) {
    switch (status.outcome()) {
      case TIMED_OUT -> context.err().println("deltabox: command was over its time: killed");
      case ROLLED_BACK ->
          context.err().println("deltabox: sandbox was rolled back to a time before this command");
      case SANDBOX_ENDED -> context.err().println("deltabox: sandbox ended");
      case RUNNING, EXITED, SIGNALED -> {}
    }
  }

  private static int code(ExecStatus status) {
    return status.outcome() == ExecStatus.Outcome.RUNNING ? ExitCodes.FAILED : status.shellCode();
  }

  private void background(String name, Runnable task) {
    Thread thread = new Thread(task, Thread.currentThread().getName() + "-" + name);
    thread.setDaemon(true);
    thread.start();
  }

  private void pumpInput() {
    byte[] buffer = new byte[BUFFER_BYTES];
    try (OutputStream to = exec.stdin()) {
      InputStream from = context.input();
      for (int got = from.read(buffer); got >= 0; got = from.read(buffer)) {
        to.write(buffer, 0, got);
        to.flush();
      }
    } catch (IOException e) {
      // The command or the caller has ended; the output's side finds out which.
      LOG.log(Level.DEBUG, "input of a command ended", e);
    }
  }

  private void pump(InputStream from, OutputStream to) {
    byte[] buffer = new byte[BUFFER_BYTES];
    try (from) {
      for (int got = from.read(buffer); got >= 0; got = from.read(buffer)) {
        to.write(buffer, 0, got);
      }
    } catch (ErrnoException e) {
      if (e.errno() == EPIPE) {
        quietly(() -> exec.signal(SIGPIPE));
      }
      LOG.log(Level.DEBUG, "output of a command ended", e);
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "output of a command ended", e);
    }
  }

  private interface Action {
    void run() throws IOException;
  }

  private void quietly(Action action) {
    try {
      action.run();
    } catch (IOException | RuntimeException e) {
      LOG.log(Level.DEBUG, "command was gone: id=" + exec.id(), e);
    }
  }

  /** The caller's terminal going away is the caller going away, whatever the command thinks. */
  private boolean signal(int number) {
    if (number == SIGHUP) {
      return false;
    }
    quietly(() -> exec.signal(number));
    return true;
  }

  private void resize(TerminalSize size) {
    quietly(() -> exec.resize(size));
  }

  private void cancel(Orphan orphan, Thread verb) {
    if (orphan == Orphan.KILLED) {
      quietly(exec::kill);
    }
    quietly(out::close);
    quietly(err::close);
    verb.interrupt();
  }
}
