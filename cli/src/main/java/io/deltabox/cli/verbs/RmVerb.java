package io.deltabox.cli.verbs;

import io.deltabox.InvalidRequestException;
import io.deltabox.Sandbox;
import io.deltabox.Snapshot;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
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
      description = {
        "SANDBOX, or SANDBOX@NAME for a snapshot, or the full id of one that has outlived its",
        "sandbox (see 'ls --snapshots')."
      })
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
    List<Snapshot> outliving = new ArrayList<>();
    if (all) {
      sandboxes.addAll(context.box().sandboxes());
    }
    // All are found before the first is removed: a wrong word changes nothing.
    for (String thing : things) {
      Snapshot alone = outliving(thing);
      if (alone != null) {
        outliving.add(alone);
      } else if (Targets.namesSnapshot(thing)) {
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
    for (Snapshot snapshot : outliving) {
      context.box().forget(snapshot);
      removed.add(snapshot.id().toString());
    }
    for (Sandbox sandbox : sandboxes) {
      context.box().remove(sandbox);
      context.forget(sandbox.id().toString());
      removed.add(sandbox.id().toString());
    }
    return answer(Map.of("removed", removed), String.join("\n", removed));
  }

  /** A full id of a snapshot that has outlived its sandbox. */
  private @Nullable Snapshot outliving(String thing) throws IOException {
    for (Snapshot snapshot : context.box().snapshots()) {
      if (snapshot.id().toString().equals(thing)) {
        return snapshot;
      }
    }
    return null;
  }
}
