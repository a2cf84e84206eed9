package io.deltabox.bench;

import io.deltabox.InvalidRequestException;
import io.deltabox.cli.CommandContext;
import io.deltabox.cli.ExitCodes;
import io.deltabox.cli.Json;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "cr",
    description = {
      "Pauses of checkpoint and rollback.",
      "A program inside writes pages and files right before each request; a witness in it measures",
      "its own largest gap. Every state is verified by the program's digest."
    })
final class CrVerb implements Callable<Integer> {
  private static final String UNITS = "kmg";

  @ParentCommand @Nullable BenchVerb parent;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Print this help and exit.")
  boolean help;

  @Option(names = "--json", description = "Answer in JSON.")
  boolean json;

  @Option(
      names = "--rss",
      paramLabel = "SIZE",
      defaultValue = "256m",
      description = "Touched memory of the program; default ${DEFAULT-VALUE}.")
  String rss = "256m";

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "5",
      description = "Its threads, two of which run all the time; default ${DEFAULT-VALUE}.")
  int threads = 5;

  @Option(
      names = "--dirty",
      paramLabel = "N",
      defaultValue = "1000",
      description = "Distinct pages written before each request; default ${DEFAULT-VALUE}.")
  int dirty = 1000;

  @Option(
      names = "--files",
      paramLabel = "N",
      defaultValue = "10",
      description = "Small files rewritten before each request; default ${DEFAULT-VALUE}.")
  int files = 10;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "200",
      description = "Measured rounds, after the warm-up; default ${DEFAULT-VALUE}.")
  int rounds = 200;

  @Option(
      names = "--rebuild",
      description =
          "Measure instead how what has died comes back: a thread and a child, a tree of processes,"
              + " a Python program of --rss in a new sandbox.")
  boolean rebuild;

  @Option(names = "--seed", paramLabel = "N", description = "Repeats a run's choice of pages.")
  @Nullable Long seed;

  @Option(
      names = "--checked",
      paramLabel = "N",
      defaultValue = "3",
      description =
          "Rounds after the measured ones whose rollback an independent reader compares; default"
              + " ${DEFAULT-VALUE}.")
  int checked = 3;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (parent == null) {
      throw new IllegalStateException("not below bench");
    }
    CommandContext context = parent.context;
    CrSettings settings =
        new CrSettings(
            bytes("--rss", rss),
            within("--threads", threads, 1, 1024),
            within("--dirty", dirty, 0, 1 << 24),
            within("--files", files, 0, 100_000),
            within("--rounds", rounds, 1, 1_000_000),
            within("--checked", checked, 0, 1000),
            seed == null ? System.nanoTime() & 0xffffff : seed);
    if (rebuild) {
      Map<String, Object> rows = new RebuildBench(context, settings).run();
      context.out().println(json ? Json.text(rows) : RebuildText.of(rows));
      return ExitCodes.OK;
    }
    Map<String, Object> report = new CrBench(context, settings).run();
    context.out().println(json ? Json.text(report) : CrText.of(report));
    return ExitCodes.OK;
  }

  private static int within(String option, int value, int from, int to)
      throws InvalidRequestException {
    if (value < from || value > to) {
      throw new InvalidRequestException(
          option + " must be from " + from + " to " + to + ": found=" + value);
    }
    return value;
  }

  private static long bytes(String option, String text) throws InvalidRequestException {
    int unit =
        text.isEmpty() ? -1 : UNITS.indexOf(Character.toLowerCase(text.charAt(text.length() - 1)));
    String digits = unit < 0 ? text : text.substring(0, text.length() - 1);
    try {
      long value = Math.multiplyExact(Long.parseLong(digits), 1L << (10 * (unit + 1)));
      if (value >= 1 << 20 && value <= 1L << 40) {
        return value;
      }
    } catch (ArithmeticException | NumberFormatException e) {
      // Falls through to the one message.
    }
    throw new InvalidRequestException(
        option + " must be a size from 1m to 1024g such as 256m: found='" + text + "'");
  }
}
