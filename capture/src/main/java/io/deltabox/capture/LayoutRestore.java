package io.deltabox.capture;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Puts the regions of stopped processes back, by calls the processes make themselves. */
final class LayoutRestore {
  private static final int CALLS_PER_MAP = 3;

  private final Tracer tracer;
  private final Window window;
  private final Aliases aliases;

  private final SharedObjects objects;

  LayoutRestore(Tracer tracer, Window window, Aliases aliases, SharedObjects objects) {
    this.tracer = tracer;
    this.window = window;
    this.aliases = aliases;
    this.objects = objects;
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
    readAgain(process);
    long pageEnd = (process.state().brk() + 4095) & ~4095L;
    if (target.brk() > pageEnd) {
      process.entry().fresh.add(new PageRun(pageEnd, (target.brk() + 4095) & ~4095L));
    }
  }

  /** Reads the regions of a process anew, after what they show has changed. */
  void readAgain(LiveProcess process) throws CaptureException {
    Memory arena = window.aside();
    long bytes =
        tracer.calls.dbx_engine_regions(
            tracer.handle(), process.pid(), arena.address(), arena.size());
    if (bytes < 0) {
      throw new CaptureException(
          "read regions failed: " + Errno.text((int) -bytes) + " " + process.state().label());
    }
    WindowRecords records =
        aliases.apply(
            WindowRecords.parse(arena.slice(0, (int) bytes), arena.address(), tracer.devices()));
    List<Region> regions = process.entry().regions;
    regions.clear();
    WindowRecords.Entry now = records.entries().get(process.pid());
    if (now != null) {
      regions.addAll(now.regions);
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
          advise(calls, step.start(), step.end(), 0, step.wanted().advice());
          if (!step.wanted().is(Region.SHARED)) {
            mapped.add(new PageRun(step.start(), step.end()));
          }
        }
      }
    }
    calls.flush();
    return mapped;
  }

  /**
   * Where a kept part was advised otherwise since. Huge page advice has no way back, and only speed
   * hangs on it.
   */
  void adviseKept(LiveProcess process, List<Region> wanted, List<RegionPlan.Step> steps)
      throws CaptureException {
    Batches calls = new Batches(process, 0);
    int at = 0;
    for (Region now : process.entry().regions) {
      while (at < wanted.size() && wanted.get(at).end() <= now.start()) {
        at++;
      }
      for (int i = at; i < wanted.size() && wanted.get(i).start() < now.end(); i++) {
        Region then = wanted.get(i);
        long start = Math.max(now.start(), then.start());
        long end = Math.min(now.end(), then.end());
        boolean kept = steps.stream().noneMatch(s -> replaces(s, start, end));
        if (kept && !then.is(Region.SPECIAL)) {
          advise(calls, start, end, now.advice(), then.advice());
        }
      }
    }
    calls.flush();
  }

  private static boolean replaces(RegionPlan.Step step, long start, long end) {
    return step.kind() != RegionPlan.Kind.PROTECT && step.start() < end && start < step.end();
  }

  private static void advise(Batches calls, long start, long end, int now, int then)
      throws CaptureException {
    int differs = now ^ then;
    if ((differs & Advice.DONT_FORK) != 0) {
      boolean set = (then & Advice.DONT_FORK) != 0;
      call(calls, start, end, set ? Sys.MADV_DONTFORK : Sys.MADV_DOFORK);
    }
    if ((differs & Advice.DONT_DUMP) != 0) {
      boolean set = (then & Advice.DONT_DUMP) != 0;
      call(calls, start, end, set ? Sys.MADV_DONTDUMP : Sys.MADV_DODUMP);
    }
    if ((differs & Advice.WIPE_ON_FORK) != 0) {
      boolean set = (then & Advice.WIPE_ON_FORK) != 0;
      call(calls, start, end, set ? Sys.MADV_WIPEONFORK : Sys.MADV_KEEPONFORK);
    }
    if ((differs & then & (Advice.HUGE | Advice.NO_HUGE)) != 0) {
      boolean set = (then & Advice.HUGE) != 0;
      call(calls, start, end, set ? Sys.MADV_HUGEPAGE : Sys.MADV_NOHUGEPAGE);
    }
    if ((differs & (Advice.SEQUENTIAL | Advice.RANDOM)) != 0) {
      boolean random = (then & Advice.RANDOM) != 0;
      boolean sequential = (then & Advice.SEQUENTIAL) != 0;
      int order = random ? Sys.MADV_RANDOM : Sys.MADV_NORMAL;
      call(calls, start, end, sequential ? Sys.MADV_SEQUENTIAL : order);
    }
  }

  private static void call(Batches calls, long start, long end, int advice)
      throws CaptureException {
    InjectedBatch batch = calls.room(1, 0);
    calls.expect(
        batch.call(Sys.MADVISE, batch.value(start), batch.value(end - start), batch.value(advice)),
        "advise region from=" + Long.toHexString(start) + " advice=" + advice);
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
    if (region.stack() && step.end() < region.end()) {
      growStack(process, calls, step);
    } else if (region.is(Region.OBJECT)) {
      mapObject(process, calls, step);
    } else if (region.anonymous()) {
      int kind = region.advised(Advice.DROPPABLE) ? Sys.MAP_DROPPABLE : Sys.MAP_PRIVATE;
      int flags = kind | Sys.MAP_FIXED | Sys.MAP_ANONYMOUS;
      flags |= region.stack() ? Sys.MAP_GROWSDOWN : 0;
      flags |= region.advised(Advice.NO_RESERVE) ? Sys.MAP_NORESERVE : 0;
      InjectedBatch batch = calls.room(1, 0);
      calls.expect(mmap(batch, step, flags, batch.value(-1), 0), "map memory" + at(step));
    } else {
      mapFile(process, calls, step);
    }
  }

  /**
   * The missing lower part of the stack cannot be mapped: it would be a region of its own. The
   * kernel lets it grow down to the first address written, which is in a page that is put back like
   * any other that was written.
   */
  private static void growStack(LiveProcess process, Batches calls, RegionPlan.Step step)
      throws CaptureException {
    InjectedBatch batch = calls.room(1, 0);
    calls.expect(
        batch.call(Sys.CLOCK_GETTIME, batch.value(0), batch.value(step.start())),
        "grow stack" + at(step));
    process.entry().dirty.add(new PageRun(step.start(), step.start() + PageStore.PAGE_BYTES));
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
  private void mapFile(LiveProcess process, Batches calls, RegionPlan.Step step)
      throws CaptureException {
    Region region = step.wanted();
    if (region.deleted() && mapRemoved(process, calls, step)) {
      return;
    }
    byte[] path = (region.name() + "\0").getBytes(StandardCharsets.ISO_8859_1);
    InjectedBatch batch = calls.room(CALLS_PER_MAP, path.length);
    boolean write = region.is(Region.SHARED) && region.mayWrite();
    Injection.Call open =
        batch.call(
            Sys.OPENAT,
            batch.value(Sys.AT_FDCWD),
            batch.bytes(path),
            batch.value((write ? Sys.O_RDWR : Sys.O_RDONLY) | Sys.O_CLOEXEC));
    calls.expect(open, "open mapped file path=" + region.name());
    long offset = region.offset() + (step.start() - region.start());
    calls.expect(
        mmap(batch, step, mapFlags(region), open, offset),
        "map file path=" + region.name() + at(step));
    batch.call(Sys.CLOSE, open);
  }

  private void mapObject(LiveProcess process, Batches calls, RegionPlan.Step step)
      throws CaptureException {
    try {
      mapGiven(process, calls, step, objects.file(step.wanted()));
    } catch (CaptureException e) {
      throw e;
    } catch (IOException e) {
      throw new CaptureException("hand over shared memory failed: " + e.getMessage(), e);
    }
  }

  /** False if the file is found by no other name. */
  private boolean mapRemoved(LiveProcess process, Batches calls, RegionPlan.Step step)
      throws CaptureException {
    try {
      Integer file = objects.removedFile(step.wanted());
      if (file != null) {
        mapGiven(process, calls, step, file);
      }
      return file != null;
    } catch (CaptureException e) {
      throw e;
    } catch (IOException e) {
      throw new CaptureException("hand over a removed file failed: " + e.getMessage(), e);
    }
  }

  private static void mapGiven(LiveProcess process, Batches calls, RegionPlan.Step step, int file)
      throws IOException {
    Region region = step.wanted();
    long offset = region.offset() + (step.start() - region.start());
    calls.flush();
    int theirs = FileDelivery.deliver(process, file);
    InjectedBatch batch = calls.room(2, 0);
    calls.expect(
        mmap(batch, step, mapFlags(region), batch.value(theirs), offset),
        "map what no path leads to" + at(step));
    batch.call(Sys.CLOSE, batch.value(theirs));
    calls.flush();
  }

  private static int mapFlags(Region region) {
    return Sys.MAP_FIXED | (region.is(Region.SHARED) ? Sys.MAP_SHARED : Sys.MAP_PRIVATE);
  }
}
