package io.deltabox.bench;

import io.deltabox.cli.CommandContext;
import io.deltabox.cli.ExitCodes;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "bench",
    description = "Measure this machine, in a private daemon that leaves nothing behind.",
    subcommands = CrVerb.class)
final class BenchVerb implements Callable<Integer> {
  final CommandContext context;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Print this help and exit.")
  boolean help;

  BenchVerb(CommandContext context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    context.err().println("deltabox: say what to measure: deltabox bench cr");
    return ExitCodes.USAGE;
  }
}
