package io.deltabox.capture;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Puts the regions of stopped processes back, by calls the processes make themselves. */
final class LayoutRestore {
  private static final int CALLS_PER_MAP = 3;

  private final Tracer tracer;
  private final Window window;
  private final Aliases aliases;
  private final SnapshotState wanted;

  /** Which living mapping leads to a shared object. */
  private final Map<ObjectId, Mapping> mappings = new HashMap<>();

  private record Mapping(int pid, long start, long end) {}

  LayoutRestore(Tracer tracer, Window window, Aliases aliases, SnapshotState wanted) {
    this.tracer = tracer;
    this.window = window;
    this.aliases = aliases;
    this.wanted = wanted;
  }

  /**
   * Mappings that exist before anything is edited; those that go are found again through others.
   */
  void learn(LiveProcess process, List<RegionPlan.Step> steps) {
    for (Region region : process.entry().regions) {
      boolean goes =
          steps.stream().anyMatch(s -> s.start() < region.end() && region.start() < s.end());
      if (region.is(Region.OBJECT) && !goes) {
        mappings.put(
            new ObjectId(region.device(), region.inode()),
            new Mapping(process.pid(), region.start(), region.end()));
      }
    }
  }

  /** Sets the end of the heap, and tells what is mapped afterwards. */
  void moveHeap(LiveProcess process, ProcessState target) throws CaptureException {
    if (process.state().brk() == target.brk()) {
      return;
    }
    Batches calls = new Batches(process, 0);
    InjectedBatch batch = calls.room(1, 0);
    Injection.Call brk = batch.call(Sys.BRK, batch.value(target.brk()));
    batch.run();
    if (batch.result(brk) != target.brk()) {
      throw new CaptureException(
          "set end of heap failed: found="
              + Long.toHexString(batch.result(brk))
              + " expected="
              + Long.toHexString(target.brk())
              + " "
              + target.label());
    }
    Memory arena = window.aside();
    long bytes =
        tracer.calls.dbx_engine_regions(
            tracer.handle(), process.pid(), arena.address(), arena.size());
    if (bytes < 0) {
      throw new CaptureException(
          "read regions failed: " + Errno.text((int) -bytes) + " " + target.label());
    }
    WindowRecords records =
        aliases.apply(WindowRecords.parse(arena.slice(0, (int) bytes), arena.address()));
    List<Region> regions = process.entry().regions;
    regions.clear();
    WindowRecords.Entry now = records.entries().get(process.pid());
    if (now != null) {
      regions.addAll(now.regions);
    }
    long pageEnd = (process.state().brk() + 4095) & ~4095L;
    if (target.brk() > pageEnd) {
      process.entry().fresh.add(new PageRun(pageEnd, (target.brk() + 4095) & ~4095L));
    }
  }

  /** Makes the edits; returns the parts mapped anew, which hold zeros or their file. */
  List<PageRun> apply(LiveProcess process, List<RegionPlan.Step> steps) throws CaptureException {
    List<PageRun> mapped = new ArrayList<>();
    Batches calls = new Batches(process, 0);
    for (RegionPlan.Step step : steps) {
      switch (step.kind()) {
        case UNMAP -> unmap(calls, step);
        case PROTECT -> protect(calls, step);
        case MAP -> {
          map(process, calls, step);
          if (!step.wanted().is(Region.SHARED)) {
            mapped.add(new PageRun(step.start(), step.end()));
          }
        }
      }
    }
    calls.flush();
    return mapped;
  }

  private static String at(RegionPlan.Step step) {
    return " from=" + Long.toHexString(step.start()) + " to=" + Long.toHexString(step.end());
  }

  private static void unmap(Batches calls, RegionPlan.Step step) throws CaptureException {
    InjectedBatch batch = calls.room(1, 0);
    calls.expect(
        batch.call(Sys.MUNMAP, batch.value(step.start()), batch.value(step.end() - step.start())),
        "unmap region" + at(step));
  }

  private static void protect(Batches calls, RegionPlan.Step step) throws CaptureException {
    InjectedBatch batch = calls.room(1, 0);
    calls.expect(
        batch.call(
            Sys.MPROTECT,
            batch.value(step.start()),
            batch.value(step.end() - step.start()),
            batch.value(step.wanted().protection())),
        "protect region" + at(step));
  }

  private void map(LiveProcess process, Batches calls, RegionPlan.Step step)
      throws CaptureException {
    Region region = step.wanted();
    if (region.is(Region.OBJECT)) {
      mapObject(process, calls, step);
    } else if (region.anonymous()) {
      int flags = Sys.MAP_PRIVATE | Sys.MAP_FIXED | Sys.MAP_ANONYMOUS;
      flags |= region.stack() ? Sys.MAP_GROWSDOWN : 0;
      flags |= region.protection() == 0 ? Sys.MAP_NORESERVE : 0;
      InjectedBatch batch = calls.room(1, 0);
      calls.expect(mmap(batch, step, flags, batch.value(-1), 0), "map memory" + at(step));
    } else {
      mapFile(calls, step);
    }
  }

  private static Injection.Call mmap(
      InjectedBatch batch, RegionPlan.Step step, int flags, Injection.Arg file, long offset) {
    return batch.call(
        Sys.MMAP,
        batch.value(step.start()),
        batch.value(step.end() - step.start()),
        batch.value(step.wanted().protection()),
        batch.value(flags),
        file,
        batch.value(offset));
  }

  /**
   * The files are back already, so the path leads to the right one; the process opens it itself, as
   * it did before.
   */
  private static void mapFile(Batches calls, RegionPlan.Step step) throws CaptureException {
    Region region = step.wanted();
    byte[] path = (region.name() + "\0").getBytes(StandardCharsets.ISO_8859_1);
    InjectedBatch batch = calls.room(CALLS_PER_MAP, path.length);
    boolean write = region.is(Region.SHARED) && region.is(Region.WRITE);
    Injection.Call open =
        batch.call(
            Sys.OPENAT,
            batch.value(Sys.AT_FDCWD),
            batch.bytes(path),
            batch.value((write ? Sys.O_RDWR : Sys.O_RDONLY) | Sys.O_CLOEXEC));
    calls.expect(open, "open mapped file path=" + region.name());
    int flags = Sys.MAP_FIXED | (region.is(Region.SHARED) ? Sys.MAP_SHARED : Sys.MAP_PRIVATE);
    long offset = region.offset() + (step.start() - region.start());
    calls.expect(
        mmap(batch, step, flags, open, offset), "map file path=" + region.name() + at(step));
    batch.call(Sys.CLOSE, open);
  }

  private void mapObject(LiveProcess process, Batches calls, RegionPlan.Step step)
      throws CaptureException {
    Region region = step.wanted();
    ObjectId id = new ObjectId(region.device(), region.inode());
    long offset = region.offset() + (step.start() - region.start());
    calls.flush();
    Mapping mapping = mappings.get(id);
    if (mapping == null) {
      makeObject(process, step, id, offset);
      return;
    }
    int file = tracer.calls.dbx_object_open(mapping.pid, mapping.start, mapping.end);
    if (file < 0) {
      throw new CaptureException(
          "open shared memory failed: " + Errno.text(-file) + " " + process.state().label());
    }
    try {
      int theirs = FileDelivery.deliver(process, file);
      InjectedBatch batch = calls.room(2, 0);
      calls.expect(
          mmap(batch, step, Sys.MAP_FIXED | Sys.MAP_SHARED, batch.value(theirs), offset),
          "map shared memory" + at(step));
      batch.call(Sys.CLOSE, batch.value(theirs));
      calls.flush();
    } catch (IOException e) {
      throw new CaptureException("hand over shared memory failed: " + e.getMessage(), e);
    } finally {
      tracer.calls.dbx_object_close(file);
    }
  }

  /** Nobody holds the object any more: a new one takes its place, and its identity. */
  private void makeObject(LiveProcess process, RegionPlan.Step step, ObjectId id, long offset)
      throws CaptureException {
    ObjectState content = wanted.objects().get(id);
    if (content == null) {
      throw new CaptureException(
          "snapshot lacks shared memory" + at(step) + " " + process.state().label());
    }
    Batches calls = new Batches(process, 0);
    byte[] name = (memfdName(step.wanted()) + "\0").getBytes(StandardCharsets.ISO_8859_1);
    InjectedBatch batch = calls.room(4, name.length);
    Injection.Call file = batch.call(Sys.MEMFD_CREATE, batch.bytes(name), batch.value(1));
    calls.expect(file, "make shared memory");
    calls.expect(
        batch.call(Sys.FTRUNCATE, file, batch.value(content.size())), "size shared memory");
    calls.expect(
        mmap(batch, step, Sys.MAP_FIXED | Sys.MAP_SHARED, file, offset),
        "map shared memory" + at(step));
    batch.call(Sys.CLOSE, file);
    calls.flush();
    Region now = regionNow(process, step.start());
    aliases.add(new ObjectId(now.device(), now.inode()), id);
    mappings.put(id, new Mapping(process.pid(), now.start(), now.end()));
  }

  private static String memfdName(Region region) {
    String name = region.name();
    if (!name.startsWith("/memfd:")) {
      return "shared";
    }
    int end = name.endsWith(" (deleted)") ? name.length() - " (deleted)".length() : name.length();
    return name.substring("/memfd:".length(), end);
  }

  private Region regionNow(LiveProcess process, long address) throws CaptureException {
    Memory arena = window.aside();
    long bytes =
        tracer.calls.dbx_engine_regions(
            tracer.handle(), process.pid(), arena.address(), arena.size());
    if (bytes > 0) {
      WindowRecords.Entry entry =
          WindowRecords.parse(arena.slice(0, (int) bytes), arena.address())
              .entries()
              .get(process.pid());
      if (entry != null) {
        for (Region region : entry.regions) {
          if (region.start() <= address && address < region.end()) {
            return region;
          }
        }
      }
    }
    throw new CaptureException("shared memory was not mapped at=" + Long.toHexString(address));
  }

  /**
   * Writes the wanted content of every shared object that some process maps, where it differs from
   * what the freeze read.
   */
  void fillObjects(List<WindowRecords.ObjectBlock> found, PageStore store, MemoryWork work)
      throws CaptureException {
    Map<ObjectId, WindowRecords.ObjectBlock> now = new HashMap<>();
    found.forEach(block -> now.put(block.id(), block));
    for (Map.Entry<ObjectId, ObjectState> entry : wanted.objects().entrySet()) {
      Mapping mapping = mappings.get(entry.getKey());
      if (mapping != null) {
        fill(mapping, entry.getValue(), now.get(entry.getKey()), store);
        work.set(entry.getKey(), entry.getValue());
      }
    }
  }

  private void fill(
      Mapping mapping,
      ObjectState content,
      WindowRecords.@Nullable ObjectBlock now,
      PageStore store)
      throws CaptureException {
    int file = tracer.calls.dbx_object_open(mapping.pid, mapping.start, mapping.end);
    if (file < 0) {
      throw new CaptureException(
          "open shared memory failed: " + Errno.text(-file) + " host_pid=" + mapping.pid);
    }
    try {
      ObjectFill fill = new ObjectFill(tracer, file, content, store);
      int result = fill.run(now);
      if (result < 0) {
        throw new CaptureException(
            "write shared memory failed: " + Errno.text(-result) + " host_pid=" + mapping.pid);
      }
    } finally {
      tracer.calls.dbx_object_close(file);
    }
  }
}
