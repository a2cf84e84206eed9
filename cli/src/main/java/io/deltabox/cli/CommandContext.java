package io.deltabox.cli;

import io.deltabox.DeltaBox;
import io.deltabox.Sandbox;
import io.deltabox.TerminalSize;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * One run of a verb: the caller's descriptors, place and terminal, and the daemon's box. A verb
 * must print through it and must neither exit nor use {@code System.in}, {@code out} or {@code
 * err}: those are the daemon's.
 *
 * <p>When the caller goes away or interrupts, the verb's streams fail and the {@link #onCancel
 * hook} runs; its thread is not interrupted, so that a checkpoint or rollback under way is
 * finished. Only in a daemon made for one command the thread is interrupted and all sandboxes end.
 * Used by the verb's thread and threads it starts.
 */
public interface CommandContext {
  /**
   * The daemon's box, opened on first use.
   *
   * @throws IOException if this machine or user cannot run sandboxes
   */
  DeltaBox box() throws IOException;

  /** Root of everything the daemon keeps. */
  Path data();

  /** Directory of the daemon's sockets. */
  Path sockets();

  /** The caller's working directory. */
  String directory();

  /** The chosen part of the caller's environment. */
  Map<String, String> environment();

  /** Text for the caller's output; flushed when the verb ends. */
  PrintWriter out();

  /** Text for the caller's errors; flushed when the verb ends. */
  PrintWriter err();

  /** The caller's descriptor 0. */
  InputStream input();

  /** The caller's descriptor 1, unbuffered; flush {@link #out} before. */
  OutputStream output();

  /** The caller's descriptor 2, unbuffered. */
  OutputStream errors();

  /** True if the caller's descriptor 0, 1 or 2 is a terminal. */
  boolean terminal(int descriptor);

  /** Size of the caller's terminal, if it has one. */
  Optional<TerminalSize> size();

  /** Switches the caller's terminal to raw mode and back; it is put back at the end in any case. */
  void raw(boolean on) throws IOException;

  /**
   * Takes the caller's signals. The handler tells by {@code true} that it dealt with one; other
   * signals cancel the verb. One handler at a time.
   */
  void onSignal(@Nullable IntPredicate handler);

  /** Called when the caller's terminal changes its size. One handler at a time. */
  void onResize(@Nullable Consumer<TerminalSize> handler);

  /**
   * Called once when the verb is cancelled, on another thread; at once if that has happened. One
   * hook at a time: when a later call returns, the earlier hook no longer runs.
   */
  void onCancel(@Nullable Runnable hook);

  /** True once the caller is gone or has interrupted. */
  boolean cancelled();

  /** Remembers a sandbox on disk, so that the next daemon can tell what ended with this one. */
  void remember(Sandbox sandbox) throws IOException;

  /** Forgets a sandbox that was ended on purpose. */
  void forget(String sandboxId) throws IOException;

  /** Facts about the daemon, for {@code daemon status}. */
  Map<String, Object> daemonStatus();

  /** Ends the daemon after this verb has answered; all sandboxes end before this returns. */
  void stopDaemon() throws IOException;
}
