package io.deltabox.cli.verbs;

import io.deltabox.CheckpointStats;
import io.deltabox.Sandbox;
import io.deltabox.Snapshot;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "checkpoint",
    description = "Make a snapshot of a running sandbox: processes, memory and files.")
final class CheckpointVerb extends SandboxVerb {
  @Option(names = "--name", paramLabel = "NAME", description = "Label; moved here if it exists.")
  @Nullable String name;

  @Option(
      names = "--check",
      description = "Keep an independent image of everything, for 'rollback --check'. Slow.")
  boolean check;

  CheckpointVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException {
    Sandbox target = target();
    if (check) {
      target.checking(true);
    }
    Snapshot made = target.checkpoint(name);
    CheckpointStats stats = made.stats();
    if (made.unchanged()) {
      return answer(Describe.snapshot(made), made.id() + "  unchanged");
    }
    return answer(
        Describe.snapshot(made),
        made.id()
            + "  paused "
            + Format.millis(stats.pauseNanos())
            + ", "
            + stats.processCount()
            + " processes, "
            + stats.pageCount()
            + " pages, "
            + stats.fileCount()
            + " files");
  }
}
