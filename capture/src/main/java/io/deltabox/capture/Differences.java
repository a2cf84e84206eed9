package io.deltabox.capture;

import java.util.Map;

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
    return true;
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
