package io.deltabox.cli;

import java.util.concurrent.Callable;

/**
 * Adds a verb to the command; named in {@code META-INF/services}. Thread-safe: one provider serves
 * all connections, each of its verbs serves one.
 */
public interface VerbProvider {
  /**
   * A new verb for one command line.
   *
   * @return an object with picocli's annotations; its result is the exit code
   */
  Callable<Integer> verb(CommandContext context);
}
