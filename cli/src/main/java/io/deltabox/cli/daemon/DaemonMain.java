package io.deltabox.cli.daemon;

import java.io.IOException;
import java.io.PrintWriter;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The daemon's process: {@code --data DIR --socket FILE [--temporary] [--announce]}, started by the
 * client. With {@code --announce} it says {@code ready} or why not on its output and closes it.
 */
public final class DaemonMain {
  private static final System.Logger LOG = System.getLogger(DaemonMain.class.getName());

  /** Zero when nothing of the daemon is left to be cleaned up. */
  private static final CountDownLatch CLEAN = new CountDownLatch(1);

  private static final long CLEAN_SECONDS = 15;

  private DaemonMain() {}

  /** Runs until told to end. */
  public static void main(String[] arguments) {
    List<String> options = Arrays.asList(arguments);
    Path data = Path.of(value(options, "--data"));
    Path socket = Path.of(value(options, "--socket"));
    boolean announce = options.contains("--announce");
    RotatingLog.install(
        announce ? data.resolve("log/daemon.log") : null,
        new PrintWriter(System.err, true, StandardCharsets.UTF_8));
    int code = run(data, socket, options.contains("--temporary"), announce);
    CLEAN.countDown();
    System.exit(code);
  }

  private static String value(List<String> options, String name) {
    int at = options.indexOf(name);
    if (at < 0 || at + 1 >= options.size()) {
      throw new IllegalArgumentException("option is missing: " + name);
    }
    return options.get(at + 1);
  }

  private static int run(Path data, Path socket, boolean temporary, boolean announce) {
    try (DataRoot root = DataRoot.open(data)) {
      root.clearTemporary();
      List<String> ended = root.takeEnded();
      if (!ended.isEmpty()) {
        LOG.log(Level.WARNING, "sandboxes ended with a daemon that was killed: " + ended);
      }
      serve(root, socket, temporary, announce ? announcement(ended) : "");
      if (temporary) {
        root.remove();
      }
      return 0;
    } catch (IOException | RuntimeException | LinkageError e) {
      LOG.log(Level.ERROR, "daemon failed", e);
      say(announce ? String.valueOf(e.getMessage()) : "");
      return 1;
    } catch (InterruptedException e) {
      return 1;
    }
  }

  private static void serve(DataRoot root, Path socket, boolean temporary, String announcement)
      throws IOException, InterruptedException {
    try (Daemon daemon = new Daemon(root, socket, temporary)) {
      Thread hook = new Thread(() -> endAtExit(daemon), "end-at-exit");
      Runtime.getRuntime().addShutdownHook(hook);
      Thread accept = new Thread(daemon::serve, "accept");
      accept.start();
      LOG.log(Level.INFO, "ready: data=" + root.path() + " socket=" + socket);
      say(announcement);
      daemon.awaitEnd();
      accept.join();
      LOG.log(Level.INFO, "stopped");
    }
  }

  private static void endAtExit(Daemon daemon) {
    try {
      daemon.end(null);
      if (!CLEAN.await(CLEAN_SECONDS, TimeUnit.SECONDS)) {
        LOG.log(Level.WARNING, "daemon ends before it has cleaned up");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      LOG.log(Level.WARNING, "end of the daemon is not clean", e);
    }
  }

  private static String announcement(List<String> ended) {
    return ended.isEmpty()
        ? "ready"
        : "ready the daemon before this one was killed: sandboxes that ended with it: "
            + String.join(" ", ended);
  }

  private static void say(String line) {
    if (line.isEmpty()) {
      return;
    }
    int end = line.indexOf('\n');
    System.out.println(end < 0 ? line : line.substring(0, end));
    // The client reads until the end; the virtual machine puts /dev/null in its place.
    System.out.close();
  }
}
