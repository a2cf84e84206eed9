package io.deltabox.capture;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/** Comparing two snapshots without reading page contents. */
final class Differences {
  private Differences() {}

  /** True if nothing at all differs. */
  static boolean none(SnapshotState a, SnapshotState b) {
    if (!a.processes().keySet().equals(b.processes().keySet())
        || !a.objects().keySet().equals(b.objects().keySet())) {
      return false;
    }
    for (Map.Entry<Integer, ProcessSnapshot> entry : a.processes().entrySet()) {
      ProcessSnapshot other = b.processes().get(entry.getKey());
      if (other == null
          || !entry.getValue().pages().same(other.pages())
          || !entry.getValue().state().same(other.state())) {
        return false;
      }
    }
    for (Map.Entry<ObjectId, ObjectState> entry : a.objects().entrySet()) {
      ObjectState other = b.objects().get(entry.getKey());
      if (other == null
          || other.size() != entry.getValue().size()
          || !entry.getValue().pages().same(other.pages())) {
        return false;
      }
    }
    return FilesPart.changes(a, b).isEmpty();
  }

  static List<ProcessDifference> processes(SnapshotState a, SnapshotState b) {
    SortedSet<Integer> pids = new TreeSet<>(a.processes().keySet());
    pids.addAll(b.processes().keySet());
    List<ProcessDifference> found = new ArrayList<>();
    for (int pid : pids) {
      ProcessSnapshot before = a.processes().get(pid);
      ProcessSnapshot after = b.processes().get(pid);
      if (before == null && after != null) {
        found.add(difference(after, ProcessDifference.Kind.ADDED, PageMap.EMPTY, after.pages()));
      } else if (before != null && after == null) {
        found.add(
            difference(before, ProcessDifference.Kind.REMOVED, before.pages(), PageMap.EMPTY));
      } else if (before != null
          && after != null
          && !(before.pages().same(after.pages()) && before.state().same(after.state()))) {
        found.add(difference(after, ProcessDifference.Kind.CHANGED, before.pages(), after.pages()));
      }
    }
    return found;
  }

  private static ProcessDifference difference(
      ProcessSnapshot of, ProcessDifference.Kind kind, PageMap before, PageMap after) {
    return new ProcessDifference(
        of.state().inner(), of.state().name(), kind, before.differences(after));
  }

  /** Private pages that differ, over all processes. */
  static long pages(SnapshotState a, SnapshotState b) {
    long pages = 0;
    for (Map.Entry<Integer, ProcessSnapshot> entry : b.processes().entrySet()) {
      ProcessSnapshot before = a.processes().get(entry.getKey());
      PageMap base = before == null ? PageMap.EMPTY : before.pages();
      pages += base.differences(entry.getValue().pages());
    }
    return pages;
  }
}
