package io.deltabox.cli.verbs;

import io.deltabox.RollbackPlan;
import io.deltabox.Sandbox;
import io.deltabox.SnapshotDiff;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a rollback would do, in JSON and in lines for people. */
final class DescribePlan {
  private DescribePlan() {}

  static Map<String, Object> value(Sandbox sandbox, RollbackPlan plan) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("sandbox", sandbox.id().toString());
    value.put("snapshot", plan.target().id().toString());
    value.put("dry_run", true);
    value.put("processes", plan.steps().stream().map(DescribePlan::step).toList());
    value.put("processes_ended", plan.processesEnded());
    value.put("processes_made", plan.processesMade());
    value.put("file_count", plan.files().size());
    value.put("files", plan.files().stream().map(DescribePlan::file).toList());
    return value;
  }

  private static Map<String, Object> step(RollbackPlan.Step step) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("pid", step.pid());
    value.put("name", step.name());
    value.put("action", step.action().text().replace(' ', '_'));
    value.put("reason", step.reason());
    value.put("pages", step.pageCount());
    value.put("threads_ended", step.threadsEnded());
    value.put("threads_made", step.threadsMade());
    return value;
  }

  private static Map<String, Object> file(SnapshotDiff.FileChange change) {
    return Map.of(
        "path", change.path(),
        "kind", change.kind().name().toLowerCase(Locale.ROOT),
        "detail", change.detail());
  }

  /** One line per process and file, then the sums. */
  static List<String> text(RollbackPlan plan) {
    List<String> lines = new ArrayList<>();
    for (RollbackPlan.Step step : plan.steps()) {
      lines.add(
          String.format(
                  "%-12s  %6d  %-15s  %s", step.action().text(), step.pid(), step.name(), why(step))
              .stripTrailing());
    }
    plan.files()
        .forEach(file -> lines.add(mark(file.kind()) + " " + file.path() + "  " + file.detail()));
    lines.add(
        plan.target().id()
            + "  "
            + plan.count(RollbackPlan.Action.EDIT)
            + " processes edited, "
            + plan.count(RollbackPlan.Action.EXECUTE)
            + " executed again, "
            + plan.processesMade()
            + " made, "
            + plan.processesEnded()
            + " ended, "
            + plan.files().size()
            + " files; nothing was touched");
    return lines;
  }

  private static String why(RollbackPlan.Step step) {
    if (step.action() != RollbackPlan.Action.EDIT) {
      return step.reason();
    }
    return step.pageCount()
        + " pages"
        + (step.threadsEnded() > 0 ? ", " + step.threadsEnded() + " threads ended" : "")
        + (step.threadsMade() > 0 ? ", " + step.threadsMade() + " threads made" : "");
  }

  private static char mark(SnapshotDiff.Kind kind) {
    return switch (kind) {
      case ADDED -> '+';
      case REMOVED -> '-';
      case CHANGED -> 'M';
    };
  }
}
