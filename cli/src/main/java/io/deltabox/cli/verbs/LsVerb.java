package io.deltabox.cli.verbs;

import io.deltabox.Sandbox;
import io.deltabox.Snapshot;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "ls", description = "List the running sandboxes.")
final class LsVerb extends Verb {
  @Option(names = "--snapshots", description = "Snapshots that have outlived their sandbox.")
  boolean snapshots;

  LsVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException {
    return snapshots ? outliving() : sandboxes();
  }

  private int outliving() throws IOException {
    Table table = new Table("SNAPSHOT", "NAME", "TIME", "SANDBOX");
    List<Object> value = new ArrayList<>();
    for (Snapshot snapshot : context.box().snapshots()) {
      table.row(
          snapshot.id(),
          Objects.requireNonNullElse(snapshot.name(), ""),
          Format.time(snapshot.time()),
          snapshot.sandboxId().brief());
      value.add(Describe.snapshot(snapshot));
    }
    return answer(value, table.toString());
  }

  private int sandboxes() throws IOException {
    Table table = new Table("SANDBOX", "NAME", "CREATED", "COMMANDS", "SNAPSHOTS", "CURRENT");
    List<Object> value = new ArrayList<>();
    for (Sandbox sandbox : context.box().sandboxes()) {
      Snapshot current = sandbox.current();
      table.row(
          sandbox.id().brief(),
          Objects.requireNonNullElse(sandbox.name(), ""),
          Format.time(sandbox.time()),
          sandbox.execs().stream().filter(exec -> !exec.status().ended()).count(),
          sandbox.snapshots().size(),
          current == null ? "" : current.id().brief());
      value.add(Describe.sandbox(sandbox));
    }
    return answer(value, table.toString());
  }
}
