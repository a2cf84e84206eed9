package io.deltabox.cli.verbs;

import io.deltabox.Sandbox;
import io.deltabox.Snapshot;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "restore",
    description = {
      "Make a new sandbox from a snapshot: the same processes, files and commands, under their ids.",
      "The sandbox it was made in may run on, be elsewhere in its lineage, or have ended: a snapshot",
      "with a name outlives it."
    })
final class RestoreVerb extends Verb {
  @Option(names = "--name", paramLabel = "NAME", description = "Label of the new sandbox.")
  @Nullable String name;

  @Parameters(
      index = "0",
      paramLabel = "SNAPSHOT",
      description = "SANDBOX@NAME, id or prefix; see 'log', and 'ls' for those that outlived.")
  @Nullable String snapshot;

  RestoreVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException {
    long start = System.nanoTime();
    Snapshot from = Targets.anySnapshot(context.box(), given(snapshot));
    Sandbox made = context.box().restore(from, name);
    context.remember(made);
    long nanos = System.nanoTime() - start;
    Map<String, Object> value = new LinkedHashMap<>(Describe.sandbox(made));
    value.put("snapshot", from.id().toString());
    value.put("call_ms", Format.milliseconds(nanos));
    return answer(value, made.id().toString());
  }
}
