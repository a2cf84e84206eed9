package io.deltabox.it;

import io.deltabox.Exec;
import io.deltabox.ExecStatus;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A conversation in lines with a program in a sandbox. A reader thread collects what it says. */
final class Talk implements AutoCloseable {
  private static final long ANSWER_SECONDS = 60;

  private final Exec exec;
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
  private final StringBuilder errors = new StringBuilder();

  Talk(Exec exec) {
    this.exec = exec;
    collect(
        new BufferedReader(new InputStreamReader(exec.stdout(), StandardCharsets.UTF_8)), false);
    collect(new BufferedReader(new InputStreamReader(exec.stderr(), StandardCharsets.UTF_8)), true);
  }

  private void collect(BufferedReader reader, boolean error) {
    Thread thread =
        new Thread(
            () -> {
              try (reader) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                  if (error) {
                    synchronized (errors) {
                      errors.append(line).append('\n');
                    }
                  } else {
                    lines.add(line);
                  }
                }
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            },
            "talk-" + exec.id());
    thread.setDaemon(true);
    thread.start();
  }

  Exec exec() {
    return exec;
  }

  /** The next line it says. */
  String hear() throws InterruptedException {
    String line = lines.poll(ANSWER_SECONDS, TimeUnit.SECONDS);
    if (line == null) {
      throw new AssertionError(
          "no answer within "
              + ANSWER_SECONDS
              + " s from "
              + exec.spec().argv()
              + ", status "
              + exec.status()
              + ", errors: "
              + errors());
    }
    return line;
  }

  /** A line it has said and nobody asked for, or null. */
  @org.jspecify.annotations.Nullable
  String overheard() {
    return lines.poll();
  }

  void say(String line) throws IOException {
    exec.stdin().write((line + "\n").getBytes(StandardCharsets.UTF_8));
    exec.stdin().flush();
  }

  String ask(String line) throws IOException, InterruptedException {
    say(line);
    return hear();
  }

  String errors() {
    synchronized (errors) {
      return errors.toString();
    }
  }

  Optional<ExecStatus> end(Duration within) throws InterruptedException {
    return exec.waitFor(within);
  }

  @Override
  public void close() throws IOException {
    exec.kill();
  }
}
