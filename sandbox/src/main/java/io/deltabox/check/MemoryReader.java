package io.deltabox.check;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Reads the regions and pages of one stopped process. */
final class MemoryReader {
  private static final int REQUEST_BYTES = 56;
  private static final int REGION_BYTES = 32;
  private static final int MASK_BYTES = 16;
  private static final int ENOSPC = Errno.ENOSPC;

  /** A range of bytes the kernel rewrites by itself. */
  record Mask(long from, long bytes) {}

  private final CheckFunctions functions;
  private final Scope scope;
  private final Objects objects;
  private long outBytes = 4L << 20;

  MemoryReader(CheckFunctions functions, Scope scope, Objects objects) {
    this.functions = functions;
    this.objects = objects;
    this.scope = scope;
  }

  List<Region> read(int pid, int innerPid, List<Mask> masks) throws IOException {
    List<Region> regions = list(pid, innerPid);
    List<Region> wanted = regions.stream().filter(r -> r.how() != Region.How.NOT).toList();
    List<Pages> pages = readPages(pid, wanted, masks);
    List<Region> filled = new ArrayList<>();
    int next = 0;
    for (Region region : regions) {
      filled.add(region.how() == Region.How.NOT ? region : region.with(pages.get(next++)));
    }
    return join(filled);
  }

  private static List<Region> join(List<Region> regions) {
    List<Region> joined = new ArrayList<>();
    for (Region region : regions) {
      int last = joined.size() - 1;
      if (last >= 0 && joined.get(last).continues(region)) {
        joined.set(last, joined.get(last).join(region));
      } else {
        joined.add(region);
      }
    }
    return joined;
  }

  private List<Region> list(int pid, int innerPid) throws IOException {
    List<Region> regions = new ArrayList<>();
    String head = "";
    for (String line : ProcFile.read("/proc/" + pid + "/smaps").split("\n")) {
      if (line.startsWith("VmFlags:")) {
        Region region = parse(innerPid, head, line.substring("VmFlags:".length()));
        if (!scope.scratch(region.from())) {
          regions.add(region);
        }
      } else if (isHead(line)) {
        head = line;
      }
    }
    return regions;
  }

  private static boolean isHead(String line) {
    int dash = line.indexOf('-');
    return dash > 0 && line.substring(0, dash).chars().allMatch(c -> Character.digit(c, 16) >= 0);
  }

  private Region parse(int pid, String head, String flags) {
    String[] words = head.split("\\s+", 6);
    int dash = words[0].indexOf('-');
    // A part of the stack that was mapped anew has no label of its own.
    boolean downward = words.length == 5 && List.of(flags.trim().split(" ")).contains("gd");
    String name = words.length > 5 ? words[5] : downward ? "[stack]" : "";
    return new Region(
        Long.parseUnsignedLong(words[0].substring(0, dash), 16),
        Long.parseUnsignedLong(words[0].substring(dash + 1), 16),
        words[1],
        Long.parseUnsignedLong(words[2], 16),
        name,
        objects.ofMapping(name, words[3], words[4], pid + "/0x" + words[0].substring(0, dash)),
        Region.keptFlags(flags),
        Pages.NONE);
  }

  private List<Pages> readPages(int pid, List<Region> regions, List<Mask> masks)
      throws IOException {
    if (regions.isEmpty()) {
      return List.of();
    }
    long head = REQUEST_BYTES + (long) regions.size() * REGION_BYTES;
    long bytes = head + (long) masks.size() * MASK_BYTES;
    try (Memory request = Memory.allocate(bytes, Memory.Touch.LATER)) {
      ByteBuffer buffer = request.slice(0, Math.toIntExact(bytes));
      fill(buffer, request.address(), pid, regions, masks);
      while (true) {
        try (Memory out = Memory.allocate(outBytes, Memory.Touch.LATER)) {
          buffer.putLong(40, out.address());
          buffer.putLong(48, outBytes / 8);
          long words = functions.dbx_check_pages(request.address());
          if (words != -ENOSPC) {
            Errno.check(words, "read pages of a stopped process pid=" + pid);
            return parsePages(out, regions.size());
          }
        }
        outBytes *= 2;
      }
    }
  }

  private static void fill(
      ByteBuffer buffer, long address, int pid, List<Region> regions, List<Mask> masks) {
    long regionsAt = address + REQUEST_BYTES;
    buffer.putLong(0, pid);
    buffer.putLong(8, regionsAt);
    buffer.putLong(16, regions.size());
    buffer.putLong(24, regionsAt + (long) regions.size() * REGION_BYTES);
    buffer.putLong(32, masks.size());
    buffer.position(REQUEST_BYTES);
    for (Region region : regions) {
      buffer.putLong(region.from()).putLong(region.to()).putLong(region.offset());
      buffer.putLong(region.how().number());
    }
    for (Mask mask : masks) {
      buffer.putLong(mask.from()).putLong(mask.bytes());
    }
  }

  private static List<Pages> parsePages(Memory out, int regions) {
    ByteBuffer words = out.slice(0, Math.toIntExact(out.size()));
    List<Pages> pages = new ArrayList<>(regions);
    for (int i = 0; i < regions; i++) {
      long count = words.getLong();
      if (count == -1) {
        pages.add(Pages.UNTOUCHED);
        continue;
      }
      long[] copy = new long[Math.toIntExact(count * 3)];
      words.asLongBuffer().get(copy);
      words.position(words.position() + copy.length * 8);
      pages.add(Pages.of(copy));
    }
    return pages;
  }

  /** The memory a thread's restartable sequences area takes, which the kernel rewrites. */
  static List<Mask> masks(Map<Integer, ThreadState> threads) {
    List<Mask> masks = new ArrayList<>();
    for (ThreadState thread : threads.values()) {
      if (thread.rseq() != 0) {
        masks.add(new Mask(thread.rseq(), thread.rseqBytes()));
      }
    }
    return masks;
  }
}
