package io.deltabox.cli.verbs;

import io.deltabox.Exec;
import io.deltabox.InvalidRequestException;
import io.deltabox.Sandbox;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "kill",
    description = {
      "Kill commands of a sandbox with everything they started, or signal them.",
      "The sandbox itself is ended by 'rm'."
    })
final class KillVerb extends Verb {
  private static final Map<String, Integer> SIGNALS =
      Map.of(
          "HUP", 1, "INT", 2, "QUIT", 3, "KILL", 9, "USR1", 10, "USR2", 12, "TERM", 15, "CONT", 18,
          "STOP", 19, "WINCH", 28);

  @Option(
      names = {"-s", "--signal"},
      paramLabel = "SIGNAL",
      description = "Send this to the first process of the command instead: TERM, 15.")
  @Nullable String signal;

  @Parameters(index = "0", paramLabel = "SANDBOX", description = "Id, prefix or name.")
  @Nullable String sandbox;

  @Parameters(
      index = "1..*",
      arity = "0..*",
      paramLabel = "EXEC",
      description = "Numbers of commands (see 'ps'); all running ones when left out.")
  List<Integer> numbers = new ArrayList<>();

  KillVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException {
    Sandbox target = Targets.sandbox(context.box(), given(sandbox));
    int number = signal == null ? 0 : number(signal);
    List<Exec> execs = new ArrayList<>();
    for (int id : numbers) {
      execs.add(target.exec(id));
    }
    if (numbers.isEmpty()) {
      target.execs().stream().filter(exec -> !exec.status().ended()).forEach(execs::add);
    }
    for (Exec exec : execs) {
      if (number == 0) {
        exec.kill();
      } else {
        exec.signal(number);
      }
    }
    List<Integer> done = execs.stream().map(Exec::id).toList();
    return answer(
        Map.of("sandbox", target.id().toString(), "execs", done),
        String.join("\n", done.stream().map(String::valueOf).toList()));
  }

  private static int number(String text) throws InvalidRequestException {
    String name = text.toUpperCase(Locale.ROOT);
    Integer known = SIGNALS.get(name.startsWith("SIG") ? name.substring(3) : name);
    if (known != null) {
      return known;
    }
    try {
      int value = Integer.parseInt(text);
      if (value >= 1 && value <= 64) {
        return value;
      }
    } catch (NumberFormatException e) {
      // Falls through to the one message.
    }
    throw new InvalidRequestException(
        "no such signal: '" + text + "' (a name such as TERM or 1..64)");
  }
}
