package io.deltabox.cli.daemon;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.jspecify.annotations.Nullable;

/**
 * Writes records to descriptor 2, one line each, and moves the file aside when it is large; what
 * the virtual machine itself says goes to the same file. Keeps one older file.
 */
final class RotatingLog extends Handler {
  private static final long BYTES_MAX = 8L << 20;
  private static final int CHECK_EVERY = 64;
  private static final int STANDARD_ERROR = 2;

  private final @Nullable Path file;
  private final PrintWriter to;
  private int records;

  private RotatingLog(@Nullable Path file, PrintWriter to) {
    this.file = file;
    this.to = to;
  }

  /**
   * Replaces the handlers of the root logger.
   *
   * @param file what descriptor 2 appends to, or null if it is not ours to move
   */
  static void install(@Nullable Path file, PrintWriter to) {
    Logger root = Logger.getLogger("");
    for (Handler handler : root.getHandlers()) {
      root.removeHandler(handler);
    }
    root.addHandler(new RotatingLog(file, to));
  }

  @Override
  public synchronized void publish(LogRecord event) {
    to.println(line(event));
    to.flush();
    if (file != null && ++records % CHECK_EVERY == 0) {
      rotate(file);
    }
  }

  private static String line(LogRecord event) {
    StringBuilder line = new StringBuilder();
    line.append(event.getInstant()).append(' ').append(event.getLevel().getName());
    line.append(' ').append(event.getLoggerName()).append(' ');
    line.append(new SimpleFormatter().formatMessage(event));
    if (event.getThrown() != null) {
      StringWriter trace = new StringWriter();
      event.getThrown().printStackTrace(new PrintWriter(trace));
      line.append(System.lineSeparator()).append(trace);
    }
    return line.toString();
  }

  private void rotate(Path current) {
    try {
      if (Files.size(current) < BYTES_MAX) {
        return;
      }
      Path older = current.resolveSibling(current.getFileName() + ".1");
      Files.move(current, older, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      to.println("move the log aside failed: " + e.getMessage());
    }
    CommandFunctions.NATIVE.dbx_command_redirect(current.toString(), STANDARD_ERROR);
  }

  @Override
  public void flush() {
    to.flush();
  }

  @Override
  public void close() {
    flush();
  }
}
