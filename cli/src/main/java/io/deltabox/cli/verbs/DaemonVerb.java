package io.deltabox.cli.verbs;

import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "daemon",
    description = {
      "Start, stop or look at the daemon of a data root; 'run' stays in the foreground.",
      "It starts by itself with the first command. Its end is the end of its sandboxes."
    })
final class DaemonVerb extends Verb {
  /** What to do with the daemon; {@code run} never arrives here. */
  enum Action {
    start,
    stop,
    status,
    run
  }

  @Parameters(
      index = "0",
      arity = "0..1",
      defaultValue = "status",
      paramLabel = "ACTION",
      description = "start, stop, status or run; default status.")
  Action action = Action.status;

  DaemonVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException {
    Map<String, Object> status = context.daemonStatus();
    if (action == Action.stop) {
      context.stopDaemon();
      return answer(
          Map.of("stopped", true, "sandboxes", status.getOrDefault("sandboxes", 0)),
          "stopped: sandboxes ended=" + status.get("sandboxes"));
    }
    StringBuilder text = new StringBuilder("daemon is running:");
    status.forEach(
        (key, value) -> {
          if (!key.equals("running")) {
            text.append(' ').append(key).append('=').append(value);
          }
        });
    return answer(status, text.toString());
  }
}
