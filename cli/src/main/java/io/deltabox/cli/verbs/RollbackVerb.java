package io.deltabox.cli.verbs;

import io.deltabox.RollbackResult;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "rollback",
    description = {
      "Put a sandbox back to a snapshot of its lineage, in place.",
      "'rollback SNAPSHOT' or 'rollback SANDBOX SNAPSHOT'."
    })
final class RollbackVerb extends Verb {
  @Parameters(index = "0", paramLabel = "[SANDBOX]", description = "Id, prefix or name.")
  @Nullable String first;

  @Parameters(index = "1", arity = "0..1", paramLabel = "SNAPSHOT", description = "See 'log'.")
  @Nullable String second;

  RollbackVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException {
    Targets.Found found =
        second == null
            ? Targets.snapshot(context.box(), given(first))
            : Targets.in(Targets.sandbox(context.box(), first), second);
    RollbackResult done = found.sandbox().rollback(found.snapshot());
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("sandbox", found.sandbox().id().toString());
    value.put("snapshot", done.target().id().toString());
    value.put("pause_ms", Format.milliseconds(done.pauseNanos()));
    value.put("call_ms", Format.milliseconds(done.callNanos()));
    value.put("phases_ms", Describe.phases(done.phaseNanos()));
    value.put("pages", done.pageCount());
    value.put("files", done.fileCount());
    value.put("processes_ended", done.processesEnded());
    value.put("processes_made", done.processesMade());
    value.put("execs_rolled_back", done.rolledBack());
    value.put("execs_going_on", done.goesOn());
    return answer(
        value,
        done.target().id()
            + "  paused "
            + Format.millis(done.pauseNanos())
            + ", "
            + done.pageCount()
            + " pages, "
            + done.fileCount()
            + " files, "
            + done.processesEnded()
            + " processes ended, "
            + done.processesMade()
            + " made");
  }
}
