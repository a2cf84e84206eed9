package io.deltabox.cli.verbs;

import io.deltabox.InvalidRequestException;
import io.deltabox.RollbackPlan;
import io.deltabox.RollbackResult;
import io.deltabox.Undo;
import io.deltabox.check.CheckFailedException;
import io.deltabox.check.Difference;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "rollback",
    description = {
      "Put a sandbox back to a snapshot of its lineage, in place.",
      "'rollback SNAPSHOT' or 'rollback SANDBOX SNAPSHOT'."
    })
final class RollbackVerb extends Verb {
  @Option(
      names = "--check",
      description = {
        "Fail unless an independent reader finds everything as it was at the snapshot, which must",
        "have been made with --check; prints what differs."
      })
  boolean check;

  @Option(
      names = "--no-undo",
      description = "Do not keep what is left: 'undo' cannot take this rollback back.")
  boolean noUndo;

  @Option(
      names = "--dry-run",
      description = {
        "Only tell what would become of each process, and why, and which files would change.",
        "Nothing is touched, the sandbox runs on."
      })
  boolean dryRun;

  @Option(
      names = "--timings",
      description = "Also print where the pause went and what each process did itself.")
  boolean timings;

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
    if (dryRun) {
      RollbackPlan plan = found.sandbox().planRollback(found.snapshot().id().toString());
      return answer(
          DescribePlan.value(found.sandbox(), plan), String.join("\n", DescribePlan.text(plan)));
    }
    if (check && !found.sandbox().checked(found.snapshot())) {
      throw new InvalidRequestException(
          "snapshot was made without a check, there is nothing to compare with: snapshot="
              + found.snapshot().id()
              + " (make one with 'checkpoint --check', or start the sandbox with 'run --check')");
    }
    RollbackResult done = rollback(found);
    return answer(
        Describe.rollback(found.sandbox(), done),
        Describe.rollbackText(done) + (timings ? Describe.rollbackTimings(done) : ""));
  }

  /** A rollback that is not exact has happened all the same; what differs is the answer. */
  private RollbackResult rollback(Targets.Found found) throws IOException {
    try {
      return found
          .sandbox()
          .rollback(found.snapshot().id().toString(), noUndo ? Undo.NONE : Undo.KEEP);
    } catch (CheckFailedException e) {
      List<Map<String, String>> differences = new ArrayList<>();
      StringBuilder text = new StringBuilder();
      for (Difference difference : e.differences()) {
        Map<String, String> one = new LinkedHashMap<>();
        one.put("where", difference.where());
        one.put("what", difference.what());
        one.put("expected", difference.expected());
        one.put("found", difference.found());
        differences.add(one);
        text.append(text.isEmpty() ? "" : "\n").append(difference);
      }
      answer(Map.of("checked", true, "differences", differences), text.toString());
      throw new IOException(
          "rollback was not exact, the sandbox runs on as it is now: snapshot="
              + found.snapshot().id()
              + " differences="
              + differences.size(),
          e);
    }
  }
}
