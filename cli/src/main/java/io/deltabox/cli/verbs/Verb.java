package io.deltabox.cli.verbs;

import io.deltabox.InvalidRequestException;
import io.deltabox.cli.CommandContext;
import io.deltabox.cli.ExitCodes;
import io.deltabox.cli.Json;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What all verbs have: the caller, help, and a machine-readable form of the answer. */
abstract class Verb implements Callable<Integer> {
  final CommandContext context;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Print this help and exit.")
  boolean help;

  @Option(names = "--json", description = "Answer in JSON, one value per line.")
  boolean json;

  Verb(CommandContext context) {
    this.context = context;
  }

  /** Answers with a line of text, or with {@code value} as JSON. */
  int answer(Object value, String text) {
    context.out().println(json ? Json.text(value) : text);
    return ExitCodes.OK;
  }

  /** The value of an argument that picocli has made sure of. */
  static <T> T given(@Nullable T value) throws IOException {
    if (value == null) {
      throw new InvalidRequestException("argument is missing");
    }
    return value;
  }
}
