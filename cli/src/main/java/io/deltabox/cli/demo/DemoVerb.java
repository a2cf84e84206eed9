package io.deltabox.cli.demo;

import io.deltabox.InvalidRequestException;
import io.deltabox.cli.CommandContext;
import io.deltabox.cli.ExitCodes;
import io.deltabox.cli.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "demo",
    description = {
      "Watch a sandbox being saved, wrecked and put back, many times.",
      "Inside run a Python program of 256 MB with 5 threads, a shell with a child, a web server, and",
      "there is a git working copy of the repository this is started in. Every state is compared from",
      "inside and outside; any difference fails. Runs in a daemon of its own that leaves nothing."
    })
final class DemoVerb implements Callable<Integer> {
  /** Programs the demo runs, each with its Debian package. */
  private static final List<List<String>> NEEDED =
      List.of(List.of("python3", "python3"), List.of("bash", "bash"), List.of("git", "git"));

  private static final List<String> PLACES = List.of("/usr/local/bin", "/usr/bin", "/bin");
  private static final int ROUNDS_MAX = 1000;

  private final CommandContext context;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Print this help and exit.")
  boolean help;

  @Option(names = "--json", description = "Answer in JSON; progress goes to the errors.")
  boolean json;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "20",
      description = "Rounds of damage and rollback; default ${DEFAULT-VALUE}.")
  int rounds = 20;

  @Option(names = "--seed", paramLabel = "N", description = "Repeats a run's choices.")
  @Nullable Long seed;

  DemoVerb(CommandContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (rounds < 1 || rounds > ROUNDS_MAX) {
      throw new InvalidRequestException(
          "--rounds must be from 1 to " + ROUNDS_MAX + ": found=" + rounds);
    }
    for (List<String> needed : NEEDED) {
      if (!here(needed.get(0))) {
        context
            .err()
            .printf("deltabox: %s is missing: apt install %s%n", needed.get(0), needed.get(1));
        return ExitCodes.UNAVAILABLE;
      }
    }
    PrintWriter progress = json ? context.err() : context.out();
    Demo demo = new Demo(context, progress, seed == null ? System.nanoTime() & 0xffff : seed);
    try {
      demo.run(rounds);
    } catch (DifferenceException e) {
      progress.println("demo: FAILED: " + e.getMessage());
      return ExitCodes.FAILED;
    }
    context.out().println(json ? Json.text(demo.report()) : demo.text());
    if (!json) {
      context.out().println("demo: OK");
    }
    return ExitCodes.OK;
  }

  private static boolean here(String program) {
    return PLACES.stream().anyMatch(place -> Files.isExecutable(Path.of(place, program)));
  }
}
