package io.deltabox.cli.daemon;

import io.deltabox.DeltaBox;
import io.deltabox.Sandbox;
import io.deltabox.TerminalSize;
import io.deltabox.cli.CommandContext;
import io.deltabox.linux.Errno;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** One connection: the context of its verb, and the frames that arrive while the verb runs. */
final class Session implements CommandContext, AutoCloseable {
  private static final int SIGNALED = 128;
  private static final int SIGHUP = 1;

  private final Daemon daemon;
  private final Connection connection;
  private final Request request;
  private final int cancel;
  private final DescriptorInput input;
  private final DescriptorOutput output;
  private final DescriptorOutput errors;
  private final PrintWriter out;
  private final PrintWriter err;
  private final Thread verb = Thread.currentThread();
  private final AtomicBoolean cancelled = new AtomicBoolean();
  private final Object hooks = new Object();
  private @Nullable Runnable cancelHook;
  private volatile int cancelCode = SIGNALED + SIGHUP;
  private volatile Optional<TerminalSize> size;
  private volatile @Nullable IntPredicate signalHandler;
  private volatile @Nullable Consumer<TerminalSize> resizeHandler;

  /** Takes ownership of the descriptors of {@code opening}; must be made by the verb's thread. */
  Session(Daemon daemon, Connection connection, Connection.Opening opening, Request request)
      throws IOException {
    this.daemon = daemon;
    this.connection = connection;
    this.request = request;
    this.size = request.size();
    this.cancel =
        (int) Errno.check(CommandFunctions.NATIVE.dbx_command_canceller(), "make eventfd");
    this.input = new DescriptorInput(opening.input(), cancel);
    this.output = new DescriptorOutput(opening.output(), cancel);
    this.errors = new DescriptorOutput(opening.errors(), cancel);
    this.out = writer(output);
    this.err = writer(errors);
  }

  private static PrintWriter writer(OutputStream to) {
    return new PrintWriter(new OutputStreamWriter(to, StandardCharsets.UTF_8));
  }

  /** Serves later frames until the client or the session ends; on a thread of its own. */
  void watch() {
    try {
      for (; ; ) {
        Connection.Frame frame = connection.receive();
        ByteBuffer body = frame.body();
        if (frame.kind() == Connection.SIGNAL && body.remaining() == 4) {
          signal(body.getInt());
        } else if (frame.kind() == Connection.WINDOW && body.remaining() == 4) {
          resize(body.getShort() & 0xffff, body.getShort() & 0xffff);
        }
      }
    } catch (IOException e) {
      cancel(SIGNALED + SIGHUP);
    }
  }

  private void signal(int number) {
    IntPredicate handler = signalHandler;
    if (handler == null || !handler.test(number)) {
      cancel(SIGNALED + (number & 0x7f));
    }
  }

  private void resize(int rows, int columns) {
    if (rows == 0 || columns == 0) {
      return;
    }
    TerminalSize now = new TerminalSize(rows, columns);
    size = Optional.of(now);
    Consumer<TerminalSize> handler = resizeHandler;
    if (handler != null) {
      handler.accept(now);
    }
  }

  /** Calls the verb off; idempotent. */
  void cancel(int code) {
    synchronized (this) {
      if (cancelled.get()) {
        return;
      }
      cancelCode = code;
      cancelled.set(true);
    }
    CommandFunctions.NATIVE.dbx_command_cancel(cancel);
    runHook();
    if (daemon.temporary()) {
      // Nothing need be kept whole: the sandboxes end under whatever the verb does with them.
      verb.interrupt();
      daemon.abandon();
    }
  }

  /** The exit code of a verb that was called off. */
  int cancelCode() {
    return cancelCode;
  }

  Request request() {
    return request;
  }

  @Override
  public DeltaBox box() throws IOException {
    return daemon.box();
  }

  @Override
  public Path data() {
    return daemon.root().path();
  }

  @Override
  public Path sockets() {
    return daemon.sockets();
  }

  @Override
  public String directory() {
    return request.directory();
  }

  @Override
  public Map<String, String> environment() {
    return request.environment();
  }

  @Override
  public PrintWriter out() {
    return out;
  }

  @Override
  public PrintWriter err() {
    return err;
  }

  @Override
  public InputStream input() {
    return input;
  }

  @Override
  public OutputStream output() {
    return output;
  }

  @Override
  public OutputStream errors() {
    return errors;
  }

  @Override
  public boolean terminal(int descriptor) {
    return (request.terminals() >> descriptor & 1) != 0;
  }

  @Override
  public Optional<TerminalSize> size() {
    return size;
  }

  @Override
  public void raw(boolean on) throws IOException {
    connection.send(Connection.RAW, on ? 1 : 0);
  }

  @Override
  public void onSignal(@Nullable IntPredicate handler) {
    signalHandler = handler;
  }

  @Override
  public void onResize(@Nullable Consumer<TerminalSize> handler) {
    resizeHandler = handler;
  }

  @Override
  public void onCancel(@Nullable Runnable hook) {
    synchronized (hooks) {
      cancelHook = hook;
      if (cancelled.get()) {
        runHook();
      }
    }
  }

  private void runHook() {
    synchronized (hooks) {
      Runnable hook = cancelHook;
      cancelHook = null;
      if (hook != null) {
        hook.run();
      }
    }
  }

  @Override
  public boolean cancelled() {
    return cancelled.get();
  }

  @Override
  public void remember(Sandbox sandbox) throws IOException {
    String name = sandbox.name();
    daemon.root().remember(sandbox.id().toString(), name == null ? "" : name);
  }

  @Override
  public void forget(String sandboxId) throws IOException {
    daemon.root().forget(sandboxId);
  }

  @Override
  public Map<String, Object> daemonStatus() {
    return daemon.status();
  }

  @Override
  public void stopDaemon() throws IOException {
    daemon.end(this);
  }

  /**
   * Ends the session: the caller's descriptors are closed before its exit code is sent, so that
   * what reads from them has seen the end by then.
   */
  void finish(int code) {
    out.flush();
    err.flush();
    release();
    try {
      connection.send(Connection.EXIT, code);
    } catch (IOException e) {
      System.getLogger(Session.class.getName())
          .log(System.Logger.Level.DEBUG, "client was gone before its exit code", e);
    }
  }

  /** Closes the caller's descriptors; pending reads and writes come back first. */
  void release() {
    CommandFunctions.NATIVE.dbx_command_cancel(cancel);
    input.close();
    output.close();
    errors.close();
  }

  /** After {@link #finish} and the end of {@link #watch}. */
  @Override
  public void close() {
    CommandFunctions.NATIVE.dbx_command_close(cancel);
  }
}
