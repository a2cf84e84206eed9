package io.deltabox.cli.daemon;

import io.deltabox.cli.CommandContext;
import io.deltabox.cli.Json;
import io.deltabox.cli.verbs.Verbs;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;

/**
 * How a verb says that it failed: one line on the caller's errors, as text or, with {@code --json},
 * as an object with the text and the exit code.
 */
final class Complaints {
  private final CommandContext context;
  private final List<String> arguments;

  Complaints(CommandContext context, List<String> arguments) {
    this.context = context;
    this.arguments = List.copyOf(arguments);
  }

  /** Says it and returns the code. */
  int say(CommandLine verb, String message, int code) {
    context.out().flush();
    if (Verbs.wantsJson(verb, arguments)) {
      Map<String, Object> value = new LinkedHashMap<>();
      value.put("error", message);
      value.put("code", code);
      context.err().println(Json.text(value));
    } else {
      context.err().println("deltabox: " + message);
    }
    return code;
  }
}
