package io.deltabox.cli.verbs;

import io.deltabox.InvalidRequestException;
import io.deltabox.cli.CommandContext;
import io.deltabox.cli.ExitCodes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "doctor",
    description = {
      "Tell what this machine and user offer and what is missing, with the way out.",
      "With --leaks: what killed daemons have left behind."
    })
final class DoctorVerb extends Verb {
  @Option(
      names = "--leaks",
      description = "Count processes, mounts, cgroups, sockets and files of daemons that are gone.")
  boolean leaks;

  @Option(names = "--fix", description = "With --leaks: remove them.")
  boolean fix;

  DoctorVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException {
    if (leaks) {
      return leaks();
    }
    if (fix) {
      throw new InvalidRequestException("--fix goes with --leaks");
    }
    List<Checkup.Finding> findings = new Checkup().run();
    List<Object> value = new ArrayList<>();
    List<String> lines = new ArrayList<>();
    boolean complete = true;
    for (Checkup.Finding finding : findings) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("what", finding.what());
      one.put("ok", finding.ok());
      one.put("needed", finding.needed());
      one.put("found", finding.found());
      one.put("way_out", finding.ok() ? "" : finding.wayOut());
      value.add(one);
      String mark = finding.ok() ? "ok      " : finding.needed() ? "MISSING " : "absent  ";
      String way = finding.ok() ? "" : ": " + finding.wayOut();
      lines.add(mark + finding.what() + "  " + finding.found() + way);
      complete &= finding.ok() || !finding.needed();
    }
    answer(value, String.join("\n", lines));
    return complete ? ExitCodes.OK : ExitCodes.UNAVAILABLE;
  }

  private int leaks() throws IOException {
    Leaks search = new Leaks(context);
    List<Leaks.Leak> found = search.find();
    List<String> fixed = new ArrayList<>();
    if (fix) {
      for (Leaks.Leak leak : found) {
        try {
          leak.remove();
          fixed.add(leak.toString());
        } catch (IOException e) {
          // What is still there is counted below; what has gone by itself is no leak.
          context.err().println("deltabox: remove " + leak + " failed: " + e);
        }
      }
      found = search.find();
    }
    List<String> left = found.stream().map(Leaks.Leak::toString).toList();
    StringBuilder text = new StringBuilder();
    fixed.forEach(line -> text.append("removed ").append(line).append('\n'));
    left.forEach(line -> text.append(line).append('\n'));
    text.append(left.size()).append(" leaks");
    if (!left.isEmpty() && !fix) {
      text.append(" (remove them with 'deltabox doctor --leaks --fix')");
    }
    answer(Map.of("leaks", left, "removed", fixed), text.toString());
    return left.isEmpty() ? ExitCodes.OK : ExitCodes.FAILED;
  }
}
