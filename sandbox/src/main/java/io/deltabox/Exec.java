package io.deltabox;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * A command of a sandbox: its input, output and end. Thread-safe.
 *
 * <p>Output is kept up to {@link #OUTPUT_KEPT_MAX} bytes per stream. A foreground command waits
 * when its reader does not come along (nothing is lost), a background command never waits (the
 * oldest bytes are dropped).
 */
public interface Exec {
  /** 1 MiB per stream. */
  int OUTPUT_KEPT_MAX = 1 << 20;

  /** Its number in the sandbox, from 1. */
  int id();

  ExecSpec spec();

  /** Number of its first process inside the sandbox. */
  int pid();

  /** When it was started. */
  Instant time();

  ExecStatus status();

  /**
   * Its input. Writes block while the command does not read. Closing a pipe is the end of the
   * input; closing a terminal sends the end-of-file character.
   */
  OutputStream stdin();

  /**
   * A new reader of its output: first the bytes kept, then what comes. Ends when the command has
   * ended and all it wrote was read. Every reader sees the same bytes; the slowest one holds a
   * foreground command back until it is closed.
   */
  InputStream stdout();

  /** The same of its errors; empty for a command with a terminal. */
  InputStream stderr();

  /** Waits for its end. */
  ExecStatus waitFor() throws InterruptedException;

  /** Waits for its end, at most for {@code timeout}; empty if it still runs. */
  Optional<ExecStatus> waitFor(Duration timeout) throws InterruptedException;

  /** Sends a signal to its first process; nothing happens if it has ended. */
  void signal(int number) throws IOException;

  /** Kills it and everything it started. Idempotent. */
  void kill() throws IOException;

  /**
   * Tells its terminal the new size.
   *
   * @throws InvalidRequestException if it has no terminal
   */
  void resize(TerminalSize size) throws IOException;
}
