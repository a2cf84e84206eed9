package io.deltabox.cli.verbs;

import io.deltabox.InvalidRequestException;
import io.deltabox.Sandbox;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "rm",
    description = "End sandboxes with all their snapshots, or forget single snapshots.")
final class RmVerb extends Verb {
  @Option(names = "--all", description = "End every sandbox.")
  boolean all;

  @Parameters(
      arity = "0..*",
      paramLabel = "THING",
      description = "SANDBOX, or SANDBOX@NAME for a snapshot.")
  List<String> things = new ArrayList<>();

  RmVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException {
    if (all != things.isEmpty()) {
      throw new InvalidRequestException("name what to remove, or give --all alone");
    }
    List<Sandbox> sandboxes = new ArrayList<>();
    List<Targets.Found> snapshots = new ArrayList<>();
    if (all) {
      sandboxes.addAll(context.box().sandboxes());
    }
    // All are found before the first is removed: a wrong word changes nothing.
    for (String thing : things) {
      if (Targets.namesSnapshot(thing)) {
        snapshots.add(Targets.snapshot(context.box(), thing));
      } else {
        sandboxes.add(Targets.sandbox(context.box(), thing));
      }
    }
    List<String> removed = new ArrayList<>();
    for (Targets.Found found : snapshots) {
      found.sandbox().remove(found.snapshot().id().toString());
      removed.add(found.snapshot().id().toString());
    }
    for (Sandbox sandbox : sandboxes) {
      sandbox.close();
      context.forget(sandbox.id().toString());
      removed.add(sandbox.id().toString());
    }
    return answer(Map.of("removed", removed), String.join("\n", removed));
  }
}
