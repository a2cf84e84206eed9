package io.deltabox.cli.verbs;

import io.deltabox.Id;
import io.deltabox.Sandbox;
import io.deltabox.Snapshot;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Command;

@Command(name = "tree", description = "Draw the lineage of a sandbox.")
final class TreeVerb extends SandboxVerb {
  TreeVerb(CommandContext context) {
    super(context);
  }

  /** A snapshot to be drawn, with what stands before it and before its children. */
  private record Line(Snapshot snapshot, String before, String below) {}

  @Override
  public Integer call() throws IOException {
    Sandbox target = target();
    List<Snapshot> snapshots = target.snapshots();
    Snapshot current = target.current();
    StringBuilder text = new StringBuilder(Targets.label(target));
    for (Line line : draw(snapshots)) {
      Snapshot snapshot = line.snapshot();
      text.append('\n').append(line.before()).append(snapshot.id().brief());
      text.append("  ").append(Format.time(snapshot.time()));
      text.append(snapshot.name() == null ? "" : "  " + snapshot.name());
      String mark = LogVerb.mark(snapshot, current);
      text.append(mark.isEmpty() ? "" : " " + mark);
    }
    return answer(snapshots.stream().map(Describe::snapshot).toList(), text.toString());
  }

  private static List<Line> draw(List<Snapshot> snapshots) {
    Set<Id> known = new HashSet<>();
    snapshots.forEach(snapshot -> known.add(snapshot.id()));
    Map<Id, List<Snapshot>> children = new HashMap<>();
    List<Snapshot> roots = new ArrayList<>();
    for (Snapshot snapshot : snapshots) {
      Id parent = snapshot.parent();
      if (parent != null && known.contains(parent)) {
        children.computeIfAbsent(parent, id -> new ArrayList<>()).add(snapshot);
      } else {
        roots.add(snapshot);
      }
    }
    List<Line> lines = new ArrayList<>();
    Deque<Line> open = new ArrayDeque<>();
    push(open, roots, "");
    while (!open.isEmpty()) {
      Line line = open.pop();
      lines.add(line);
      push(open, children.getOrDefault(line.snapshot().id(), List.of()), line.below());
    }
    return lines;
  }

  /** A lone child stands below its parent without a step to the right: lineages are long. */
  private static void push(Deque<Line> open, List<Snapshot> children, String below) {
    List<Line> lines = new ArrayList<>();
    for (int i = 0; i < children.size(); i++) {
      boolean last = i == children.size() - 1;
      String before = children.size() == 1 ? "" : last ? "`- " : "|- ";
      String under = children.size() == 1 ? "" : last ? "   " : "|  ";
      lines.add(new Line(children.get(i), below + before, below + under));
    }
    Collections.reverse(lines);
    lines.forEach(open::push);
  }
}
