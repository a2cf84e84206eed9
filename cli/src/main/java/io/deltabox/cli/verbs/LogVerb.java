package io.deltabox.cli.verbs;

import io.deltabox.Sandbox;
import io.deltabox.Snapshot;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "log",
    description = "List the current snapshot of a sandbox and those before it, newest first.")
final class LogVerb extends SandboxVerb {
  @Option(names = "--all", description = "All snapshots, also of other branches.")
  boolean all;

  LogVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException {
    Sandbox target = target();
    List<Snapshot> snapshots = all ? target.snapshots() : target.lineage();
    Table table = new Table("SNAPSHOT", "TIME", "PAUSE", "PAGES", "FILES", "SIZE", "NAME");
    Snapshot current = target.current();
    for (Snapshot snapshot : snapshots) {
      String name = Objects.requireNonNullElse(snapshot.name(), "");
      table.row(
          snapshot.id().brief(),
          Format.time(snapshot.time()),
          Format.millis(snapshot.stats().pauseNanos()),
          snapshot.stats().pageCount(),
          snapshot.stats().fileCount(),
          Format.bytes(snapshot.stats().bytes()),
          (name + mark(snapshot, current)).strip());
    }
    return answer(snapshots.stream().map(Describe::snapshot).toList(), table.toString());
  }

  /** What sets a snapshot apart, for people. */
  static String mark(Snapshot snapshot, @Nullable Snapshot current) {
    return (snapshot.leftByRollback() ? " (left by a rollback)" : "")
        + (snapshot.equals(current) ? " (current)" : "");
  }
}
