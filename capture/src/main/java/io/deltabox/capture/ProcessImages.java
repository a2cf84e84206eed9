package io.deltabox.capture;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Gives a stopped process the program it had: the link {@code /proc/PID/exe} by executing it, its
 * kernel pages by moving them, and what the kernel remembers of its arguments by prctl(2). The rest
 * of its memory is replaced afterwards like any other.
 */
final class ProcessImages {
  private static final int FIELD_BREAK = 5;
  private static final int VECTOR_POINTER = 8 * ImageState.FIELDS;
  private static final int MAP_BYTES = VECTOR_POINTER + 16;
  private static final int NO_FILE = -1;

  /** Where kernel pages wait while others take their places: no program maps so close to us. */
  private static final long PARKING = CaptureEngine.SCRATCH_ADDRESS + (1L << 32);

  /** TASK_SIZE_MAX of x86-64 with four levels of page tables: what mmap(2) gives without a hint. */
  private static final long ADDRESSES_END = (1L << 47) - 4096;

  private ProcessImages() {}

  /** Executes a program; its memory is of no interest. */
  static void execute(InjectedBatch batch, ProcessState then, String program)
      throws CaptureException {
    byte[] path = (program + "\0").getBytes(StandardCharsets.ISO_8859_1);
    Injection.Arg name = batch.bytes(path);
    Injection.Arg arguments = batch.space(16);
    batch.point(arguments, 0, name);
    batch.call(Sys.EXECVE, name, arguments, batch.space(8));
    batch.runExecve(" path=" + program + " " + then.label());
  }

  /** Appends the call that tells the kernel where everything of the old image lies. */
  static Injection.Call places(InjectedBatch batch, ProcessState then, ImageState image) {
    byte[] vector = image.vector();
    ByteBuffer map = ByteBuffer.allocate(MAP_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < ImageState.FIELDS; i++) {
      map.putLong(i == FIELD_BREAK ? then.brk() : image.field(i));
    }
    map.putInt(VECTOR_POINTER + 8, vector.length).putInt(VECTOR_POINTER + 12, NO_FILE);
    Injection.Arg block = batch.bytes(map.array());
    batch.point(block, VECTOR_POINTER, batch.bytes(vector));
    return batch.call(
        Sys.PRCTL,
        batch.value(Sys.PR_SET_MM),
        batch.value(Sys.PR_SET_MM_MAP),
        block,
        batch.value(MAP_BYTES),
        batch.value(0));
  }

  private static Map<String, Region> kernelPages(List<Region> regions) {
    Map<String, Region> found = new LinkedHashMap<>();
    for (Region region : regions) {
      if (region.is(Region.SPECIAL) && region.name().startsWith("[v")) {
        found.put(region.name(), region);
      }
    }
    found.remove("[vsyscall]");
    return found;
  }

  /**
   * Appends the moves of the kernel's pages to where the program knew them.
   *
   * @throws CaptureException if this kernel gives other pages than the one of the snapshot
   */
  static List<Injection.Call> moveKernelPages(
      InjectedBatch batch, List<Region> now, ProcessState then) throws CaptureException {
    Map<String, Region> have = kernelPages(now);
    Map<String, Region> want = kernelPages(then.regions());
    List<Injection.Call> calls = new ArrayList<>();
    long parking = PARKING;
    if (!have.keySet().equals(want.keySet())) {
      throw new CaptureException(
          "make a process again failed: the kernel gives it other pages of its own: found="
              + have.keySet()
              + " expected="
              + want.keySet()
              + " "
              + then.label());
    }
    Map<String, Long> parked = new LinkedHashMap<>();
    for (Map.Entry<String, Region> one : have.entrySet()) {
      Region from = one.getValue();
      Region to = want.get(one.getKey());
      if (to == null || to.end() - to.start() != from.end() - from.start()) {
        throw new CaptureException(
            "make a process again failed: the kernel's pages have another size: name="
                + one.getKey()
                + " "
                + then.label());
      }
      if (to.start() != from.start()) {
        calls.add(move(batch, from.start(), parking, from.end() - from.start()));
        parked.put(one.getKey(), parking);
        parking += from.end() - from.start();
      }
    }
    for (Map.Entry<String, Long> one : parked.entrySet()) {
      Region to = want.get(one.getKey());
      if (to != null) {
        calls.add(move(batch, one.getValue(), to.start(), to.end() - to.start()));
      }
    }
    return calls;
  }

  /**
   * Appends the calls that unmap all but the kernel's pages, which have been moved, our own, and
   * what is shared with others.
   */
  static List<Injection.Call> unmapRest(InjectedBatch batch, List<Region> now, ProcessState then) {
    Map<String, Region> moved = kernelPages(then.regions());
    TreeMap<Long, Long> kept = new TreeMap<>();
    moved.values().forEach(one -> kept.put(one.start(), one.end()));
    for (Region region : now) {
      boolean ours = region.is(Region.SPECIAL) && !moved.containsKey(region.name());
      if (ours || (region.is(Region.SHARED) && !region.is(Region.SPECIAL))) {
        kept.merge(region.start(), region.end(), Math::max);
      }
    }
    List<Injection.Call> calls = new ArrayList<>();
    long from = 0;
    for (Map.Entry<Long, Long> one : kept.entrySet()) {
      if (one.getKey() > from) {
        long to = Math.min(one.getKey(), ADDRESSES_END);
        calls.add(batch.call(Sys.MUNMAP, batch.value(from), batch.value(to - from)));
      }
      from = Math.max(from, one.getValue());
      if (from < 0 || from >= ADDRESSES_END) {
        return calls;
      }
    }
    calls.add(batch.call(Sys.MUNMAP, batch.value(from), batch.value(ADDRESSES_END - from)));
    return calls;
  }

  private static Injection.Call move(InjectedBatch batch, long from, long to, long bytes) {
    return batch.call(
        Sys.MREMAP,
        batch.value(from),
        batch.value(bytes),
        batch.value(bytes),
        batch.value(Sys.MREMAP_MAYMOVE | Sys.MREMAP_FIXED),
        batch.value(to));
  }
}
