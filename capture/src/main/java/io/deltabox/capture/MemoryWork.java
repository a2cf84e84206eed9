package io.deltabox.capture;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the daemon knows of the sandbox's memory at this moment: for every page that is not marked
 * as written, its content.
 *
 * <p>Invariant: current memory = this + the pages the tracker reports as written + regions it
 * reports as fresh. Pre-copies and failed checkpoints move it forward without a snapshot, so a
 * rollback compares its target with this, never with the last snapshot. Guarded by the engine.
 */
final class MemoryWork {
  private final PageStore store;
  private final int zeroSlot;
  private final Pace pace;
  private final Map<Integer, PageMap> processes = new HashMap<>();
  private final Map<ObjectId, ObjectState> objects = new HashMap<>();

  MemoryWork(PageStore store, int zeroSlot, Pace pace) {
    this.pace = pace;
    this.store = store;
    this.zeroSlot = zeroSlot;
  }

  /** Content of a process's private memory, by its number in the daemon's namespace. */
  PageMap of(int pid) {
    return processes.getOrDefault(pid, PageMap.EMPTY);
  }

  void set(int pid, PageMap pages) {
    processes.put(pid, pages);
  }

  ObjectState object(ObjectId id) {
    return objects.getOrDefault(id, new ObjectState(0, PageMap.EMPTY));
  }

  void retainProcesses(Set<Integer> living) {
    processes.keySet().retainAll(living);
  }

  void retainObjects(Set<ObjectId> living) {
    objects.keySet().retainAll(living);
  }

  List<PageMap> maps() {
    List<PageMap> maps = new ArrayList<>(processes.values());
    objects.values().forEach(object -> maps.add(object.pages()));
    return maps;
  }

  /**
   * Takes over what a capture read of one process.
   *
   * @throws KeeperFullException if there is no room for a page; nothing of this process is taken
   *     over then
   */
  void apply(int pid, WindowRecords.Entry entry, PageMap likely) throws IOException {
    PageMap before = of(pid);
    PageMap.Editor editor = before.edit();
    for (PageRun run : entry.fresh) {
      editor.removeRange(run.firstPage(), run.endPage());
    }
    for (WindowRecords.PageBlock block : entry.pages) {
      long address = block.address();
      for (PageRun run : block.runs()) {
        for (long page = run.firstPage(); page < run.endPage(); page++) {
          int old = editor.get(page);
          int slot = slotFor(old, likely.get(page), address);
          if (slot != old) {
            editor.put(page, slot);
          }
          address += PageStore.PAGE_BYTES;
          pace.point();
        }
      }
    }
    processes.put(pid, editor.changed() ? editor.build() : before);
  }

  /**
   * Content outside the regions of a process is gone, and what it had copied of files and dropped.
   */
  void trim(int pid, List<Region> regions, List<PageRun> own) {
    PageMap before = of(pid);
    PageMap.Editor editor = before.edit();
    long from = 0;
    for (Region region : regions) {
      if (!region.is(Region.SPECIAL) && !region.is(Region.SHARED)) {
        editor.removeRange(from, region.start() >>> 12);
        from = region.end() >>> 12;
      }
    }
    editor.removeRange(from, PageMap.PAGES_MAX);
    OwnPages.gaps(regions, own, editor::removeRange);
    if (editor.changed()) {
      processes.put(pid, editor.build());
    }
  }

  /** Takes over the whole content of a shared object. */
  void apply(WindowRecords.ObjectBlock block) throws IOException {
    ObjectState before = object(block.id());
    PageMap.Editor editor = before.pages().edit();
    long address = block.pages().address();
    long from = 0;
    for (PageRun run : block.pages().runs()) {
      editor.removeRange(from, run.firstPage());
      for (long page = run.firstPage(); page < run.endPage(); page++) {
        int old = editor.get(page);
        int slot = slotFor(old, PageMap.ABSENT, address);
        if (slot != old) {
          editor.put(page, slot);
        }
        address += PageStore.PAGE_BYTES;
      }
      from = run.endPage();
    }
    editor.removeRange(from, PageMap.PAGES_MAX);
    if (editor.changed() || before.size() != block.size()) {
      objects.put(block.id(), new ObjectState(block.size(), editor.build()));
    }
  }

  void set(ObjectId id, ObjectState state) {
    objects.put(id, state);
  }

  /**
   * Where a page is kept: where it is already if it is the same as one of two, else a new slot.
   *
   * @throws KeeperFullException if there is no room
   */
  int slotFor(int old, int likely, long address) throws IOException {
    if (old != PageMap.ABSENT && PageBytes.equal(store.address(old), address)) {
      return old;
    }
    if (PageBytes.isZero(address)) {
      return zeroSlot;
    }
    if (likely != PageMap.ABSENT && PageBytes.equal(store.address(likely), address)) {
      return likely;
    }
    int slot = store.take(address);
    if (slot == PageMap.ABSENT) {
      throw new KeeperFullException(store.bytesMax());
    }
    return slot;
  }
}
