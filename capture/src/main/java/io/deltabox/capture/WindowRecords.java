package io.deltabox.capture;

import io.deltabox.capture.descriptors.Devices;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Reads the arena of a window: which processes there are, what they hold, where their page bytes
 * lie. Page bytes are borrowed from the arena.
 *
 * <p>The arena was written by our own code from data of the sandbox; lengths are checked all the
 * same.
 */
final class WindowRecords {
  private static final int PROCESS = 1;
  private static final int THREAD = 2;
  private static final int REGIONS = 3;
  private static final int FRESH = 4;
  private static final int PAGES = 5;
  private static final int DIRTY = 6;
  private static final int SIGNALS = 7;
  private static final int OBJECT = 8;
  private static final int OWN = 9;
  private static final int RENEWED = 10;
  private static final int TIMERS = 11;
  private static final int IMAGE = 12;

  /** Kinds of the other parts, which read them by themselves. */
  static final int FILES_FIRST = 0x100;

  static final int DESCRIPTORS_FIRST = 0x200;
  private static final int KIND_GROUP = 0x100;

  /** Bytes of pages: the runs in order, and the address of the first byte of the first. */
  record PageBlock(List<PageRun> runs, long address) {}

  /** A shared object: identity, size, the mapping it was read through, content. */
  record ObjectBlock(ObjectId id, long size, int pid, long start, long end, PageBlock pages) {}

  /** One process of the window. */
  static final class Entry {
    private byte[] record = new byte[0];
    final List<ThreadState> threads = new ArrayList<>();
    final List<Region> regions = new ArrayList<>();
    final List<PageRun> fresh = new ArrayList<>();
    final List<PageRun> dirty = new ArrayList<>();
    final List<PageBlock> pages = new ArrayList<>();

    /** Pages of private file mappings that are the process's own copies, ascending. */
    final List<PageRun> own = new ArrayList<>();

    /** Regions were mapped since a window last told so, even if the layout looks the same. */
    boolean renewed;

    private final List<PosixTimer> timers = new ArrayList<>();
    private final List<SignalQueue> signals = new ArrayList<>();
    private @Nullable ImageState image;

    /**
     * Fills in the advice of each region: what is known by range, else what {@code known} had
     * there.
     */
    void advise(Map<Advice.Range, Integer> read, List<Region> known) {
      for (int i = 0; i < regions.size(); i++) {
        Region region = regions.get(i);
        Integer advice = read.get(new Advice.Range(region.start(), region.end()));
        regions.set(i, region.withAdvice(advice != null ? advice : adviceAt(known, region)));
      }
    }

    private static int adviceAt(List<Region> known, Region region) {
      for (Region old : known) {
        if (old.start() <= region.start() && region.start() < old.end()) {
          return old.sameBacking(region, region.start()) ? old.advice() : 0;
        }
      }
      return 0;
    }

    /** True if the layout is the one of {@code known}, whose advice then holds here too. */
    boolean sameLayout(List<Region> known) {
      if (renewed || known.size() != regions.size()) {
        return false;
      }
      for (int i = 0; i < known.size(); i++) {
        if (!known.get(i).samePlace(regions.get(i))) {
          return false;
        }
      }
      return true;
    }

    ProcessState state() {
      List<PosixTimer> inside = timers.stream().map(timer -> timer.inside(threads)).toList();
      return new ProcessState(record, image, threads, regions, signals, inside);
    }
  }

  private final Map<Integer, Entry> entries = new LinkedHashMap<>();
  private final List<ObjectBlock> objects = new ArrayList<>();
  private final List<ByteBuffer> files = new ArrayList<>();
  private final List<ByteBuffer> descriptors = new ArrayList<>();
  private final long base;
  private final Devices devices;

  private WindowRecords(long base, Devices devices) {
    this.base = base;
    this.devices = devices;
  }

  /**
   * @param arena from its first record to the end of its last
   * @param base address of the arena's first byte
   * @param devices of the container that was read
   */
  static WindowRecords parse(ByteBuffer arena, long base, Devices devices) {
    WindowRecords records = new WindowRecords(base, devices);
    while (arena.remaining() >= 16) {
      int start = arena.position();
      int kind = arena.getInt();
      arena.getInt();
      long bytes = arena.getLong();
      if (kind == 0) {
        break;
      }
      if (bytes < 0 || bytes > arena.remaining()) {
        throw new IllegalStateException(
            "record is longer than the arena: kind=" + kind + " bytes=" + bytes);
      }
      int body = arena.position();
      int end = body + (int) bytes;
      if (kind < FILES_FIRST) {
        ByteBuffer view = arena.duplicate().order(arena.order()).limit(end);
        records.add(kind, view);
      } else {
        ByteBuffer whole =
            arena.duplicate().position(start).limit(end).slice().order(arena.order());
        (kind < FILES_FIRST + KIND_GROUP ? records.files : records.descriptors).add(whole);
      }
      arena.position(body + (int) ((bytes + 7) & ~7L));
    }
    return records;
  }

  /** Replaces the identities of shared objects, in regions and contents. */
  void rename(UnaryOperator<ObjectId> names) {
    objects.replaceAll(
        o -> new ObjectBlock(names.apply(o.id), o.size, o.pid, o.start, o.end, o.pages));
    for (Entry entry : entries.values()) {
      entry.regions.replaceAll(
          region -> {
            if (!region.is(Region.OBJECT)) {
              return region;
            }
            ObjectId id = names.apply(new ObjectId(region.device(), region.inode()));
            return new Region(
                region.start(),
                region.end(),
                region.offset(),
                id.inode(),
                id.device(),
                region.flags(),
                region.name(),
                region.advice());
          });
    }
  }

  /** By number in the daemon's namespace, parents first. */
  Map<Integer, Entry> entries() {
    return entries;
  }

  List<ObjectBlock> objects() {
    return objects;
  }

  /** Records of the files part, header included. */
  List<ByteBuffer> files() {
    return files;
  }

  /** Records of the descriptors part, header included. */
  List<ByteBuffer> descriptors() {
    return descriptors;
  }

  private void add(int kind, ByteBuffer body) {
    switch (kind) {
      case PROCESS -> addProcess(body);
      case THREAD -> entry(body.getInt(body.position())).threads.add(new ThreadState(body));
      case REGIONS -> addRegions(body);
      case FRESH -> runs(body, entry(body.getInt()).fresh);
      case DIRTY -> runs(body, entry(body.getInt()).dirty);
      case OWN -> runs(body, entry(body.getInt()).own);
      case RENEWED -> entry(body.getInt()).renewed = true;
      case TIMERS -> entry(body.getInt()).timers.addAll(PosixTimer.parse(body));
      case PAGES -> addPages(body);
      case IMAGE ->
          entry(body.getInt(body.position())).image =
              new ImageState(body.slice().order(body.order()));
      case SIGNALS -> addSignals(body);
      case OBJECT -> addObject(body);
      default -> throw new IllegalStateException("unknown record: kind=" + kind);
    }
  }

  private Entry entry(int pid) {
    return entries.computeIfAbsent(pid, p -> new Entry());
  }

  private void addProcess(ByteBuffer body) {
    byte[] record = new byte[body.remaining()];
    body.get(record);
    int pid = ByteBuffer.wrap(record).order(java.nio.ByteOrder.LITTLE_ENDIAN).getInt(0);
    entry(pid).record = record;
  }

  private static void runs(ByteBuffer body, List<PageRun> to) {
    int count = body.getInt();
    for (int i = 0; i < count; i++) {
      to.add(new PageRun(body.getLong(), body.getLong()));
    }
  }

  private void addRegions(ByteBuffer body) {
    Entry entry = entry(body.getInt());
    int count = body.getInt();
    int names = body.position() + count * 48;
    for (int i = 0; i < count; i++) {
      long start = body.getLong();
      long end = body.getLong();
      long offset = body.getLong();
      long inode = body.getLong();
      long device = devices.marked(body.getInt(), body.getInt());
      int flags = body.getInt();
      int nameBytes = body.getInt();
      String name = "";
      if (nameBytes > 0) {
        byte[] bytes = new byte[nameBytes];
        body.duplicate().position(names).get(bytes);
        name = new String(bytes, StandardCharsets.ISO_8859_1);
      }
      names += nameBytes + 1;
      entry.regions.add(new Region(start, end, offset, inode, device, flags, name, 0));
    }
  }

  private void addPages(ByteBuffer body) {
    Entry entry = entry(body.getInt());
    int count = body.getInt();
    body.getLong();
    entry.pages.add(block(body, count));
  }

  private PageBlock block(ByteBuffer body, int count) {
    List<PageRun> runs = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      runs.add(new PageRun(body.getLong(), body.getLong()));
    }
    return new PageBlock(runs, base + body.position());
  }

  private void addSignals(ByteBuffer body) {
    Entry entry = entry(body.getInt());
    int tid = body.getInt();
    int count = body.getInt();
    body.getInt();
    int inner = 0;
    for (ThreadState thread : entry.threads) {
      if (thread.tid() == tid) {
        inner = thread.inner();
      }
    }
    entry.signals.add(new SignalQueue(inner, SignalQueue.parse(body, count)));
  }

  private void addObject(ByteBuffer body) {
    long device = body.getLong();
    ObjectId id = new ObjectId(devices.marked(device >>> 32, device & 0xffffffffL), body.getLong());
    long size = body.getLong();
    int pid = body.getInt();
    int count = body.getInt();
    long start = body.getLong();
    long end = body.getLong();
    body.getLong();
    objects.add(new ObjectBlock(id, size, pid, start, end, block(body, count)));
  }
}
