package io.deltabox.cli.verbs;

import io.deltabox.InvalidRequestException;
import io.deltabox.NotFoundException;
import io.deltabox.Snapshot;
import io.deltabox.SnapshotDiff;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "diff",
    description = "Tell what differs between two snapshots of one sandbox: files and processes.")
final class DiffVerb extends Verb {
  @Parameters(index = "0", paramLabel = "FROM", description = "Snapshot.")
  @Nullable String from;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "TO",
      description = "Snapshot; the current one when left out.")
  @Nullable String to;

  DiffVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException {
    Targets.Found first = Targets.snapshot(context.box(), given(from));
    Snapshot second = second(first);
    SnapshotDiff diff =
        first.sandbox().diff(first.snapshot().id().toString(), second.id().toString());
    List<String> lines = new ArrayList<>();
    List<Object> files = new ArrayList<>();
    List<Object> processes = new ArrayList<>();
    for (SnapshotDiff.FileChange change : diff.files()) {
      lines.add(mark(change.kind()) + " " + change.path() + suffix(change.detail()));
      files.add(
          Map.of(
              "path",
              change.path(),
              "kind",
              change.kind().name().toLowerCase(Locale.ROOT),
              "detail",
              change.detail()));
    }
    for (SnapshotDiff.ProcessChange change : diff.processes()) {
      lines.add(
          mark(change.kind())
              + " process "
              + change.pid()
              + " "
              + change.command()
              + "  "
              + change.dirtyPages()
              + " pages");
      processes.add(
          Map.of(
              "pid",
              change.pid(),
              "command",
              change.command(),
              "kind",
              change.kind().name().toLowerCase(Locale.ROOT),
              "dirty_pages",
              change.dirtyPages()));
    }
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("from", first.snapshot().id().toString());
    value.put("to", second.id().toString());
    value.put("files", files);
    value.put("processes", processes);
    return answer(value, lines.isEmpty() ? "no difference" : String.join("\n", lines));
  }

  private Snapshot second(Targets.Found first) throws IOException {
    if (to == null) {
      Snapshot current = first.sandbox().current();
      if (current == null) {
        throw new NotFoundException("sandbox has no snapshot yet");
      }
      return current;
    }
    Targets.Found second =
        Targets.namesSnapshot(to)
            ? Targets.snapshot(context.box(), to)
            : Targets.in(first.sandbox(), to);
    if (!second.sandbox().id().equals(first.sandbox().id())) {
      throw new InvalidRequestException(
          "snapshots are of different sandboxes: from="
              + Targets.label(first.sandbox())
              + " to="
              + Targets.label(second.sandbox()));
    }
    return second.snapshot();
  }

  private static String suffix(String detail) {
    return detail.isEmpty() ? "" : "  " + detail;
  }

  private static char mark(SnapshotDiff.Kind kind) {
    return switch (kind) {
      case ADDED -> '+';
      case REMOVED -> '-';
      case CHANGED -> 'M';
    };
  }
}
