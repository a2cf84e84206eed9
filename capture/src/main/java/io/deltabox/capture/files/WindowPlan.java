package io.deltabox.capture.files;

import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The memory a look at the changed files works with: {@code struct dbx_files_plan} and the buffers
 * it points to. Not thread-safe.
 */
final class WindowPlan implements AutoCloseable {
  static final int BYTES = 224;
  static final int NO_CONTENT = 1;
  static final int RESCAN = 2;
  static final int DRAIN_ONLY = 4;

  private static final int HELD_BYTES = 24;
  private static final int KNOWN_BYTES = 32;
  private static final int FLAGS = 4;
  private static final int RAW = 24;
  private static final int AREA = 48;
  private static final int HELD = 80;
  private static final int KNOWN = 104;
  private static final int SCRATCH = 120;
  private static final int IGNORED = 136;
  private static final int DEVICES = 184;
  private static final int OVERFLOWED = 200;
  private static final int MORE = 204;
  private static final int EVENTS = 208;
  private static final int SINCE = 216;

  private final Memory plan;
  private final ByteBuffer view;
  private final Memory scratch;
  private Memory raw;
  private Memory area;
  private Memory held;
  private Memory known;

  WindowPlan(int fanotify, int mount, int upper, int shared, long areaBytes) throws IOException {
    plan = Memory.allocate(BYTES, Memory.Touch.NOW);
    view = plan.slice(0, BYTES);
    scratch = Memory.allocate(FileOps.SCRATCH_BYTES, Memory.Touch.LATER);
    raw = Memory.allocate(1 << 20, Memory.Touch.LATER);
    area = Memory.allocate(areaBytes, Memory.Touch.NOW);
    held = Memory.allocate(1024L * HELD_BYTES, Memory.Touch.NOW);
    known = Memory.allocate(1024L * KNOWN_BYTES, Memory.Touch.NOW);
    view.putInt(0, BYTES);
    view.putInt(8, fanotify);
    view.putInt(12, mount);
    view.putInt(16, upper);
    view.putInt(20, shared);
    view.putLong(SCRATCH, scratch.address());
    view.putLong(SCRATCH + 8, scratch.size());
    place(RAW, raw);
    place(AREA, area);
    placeHeld();
    view.putLong(KNOWN, known.address());
  }

  private void place(int at, Memory memory) {
    view.putLong(at, memory.address());
    view.putLong(at + 8, memory.size());
  }

  private void placeHeld() {
    view.putLong(HELD, held.address());
    view.putLong(HELD + 8, held.size() / HELD_BYTES);
  }

  /** Birth time of the upper layer in seconds: older files are the base's own. */
  void since(long seconds) {
    view.putLong(SINCE, seconds);
  }

  /** How many events the last look met. */
  long events() {
    return view.getLong(EVENTS);
  }

  Memory memory() {
    return plan;
  }

  long areaAddress() {
    return area.address();
  }

  void ignore(int index, long inode) {
    view.putLong(IGNORED + 8 * index, inode);
  }

  void devices(long upper, long shared) {
    view.putLong(DEVICES, upper);
    view.putLong(DEVICES + 8, shared);
  }

  /** Makes ready for the next look. */
  void begin(int flags) {
    view.putInt(FLAGS, flags);
    view.putLong(AREA + 16, 0);
    view.putLong(HELD + 16, 0);
  }

  /** Notes a holder of a file, as dbx_files_hold does; descriptor -1 is a mapping. */
  void hold(int pid, int descriptor, long start, long end) {
    long count = view.getLong(HELD + 16);
    if ((count + 1) * HELD_BYTES <= held.size()) {
      ByteBuffer out = held.slice(count * HELD_BYTES, HELD_BYTES);
      out.putInt(0, pid);
      out.putInt(4, descriptor);
      out.putLong(8, start);
      out.putLong(16, end);
    }
    view.putLong(HELD + 16, count + 1);
  }

  /** The events taken so far are dealt with. */
  void acknowledge() {
    view.putLong(RAW + 16, 0);
    view.putInt(OVERFLOWED, 0);
  }

  /** The files open for writing that need not be read again unless their change time moved. */
  void known(java.util.List<FileStatus> files) throws IOException {
    long bytes = (long) files.size() * KNOWN_BYTES;
    if (bytes > known.size()) {
      Memory larger = Memory.allocate(bytes * 2, Memory.Touch.NOW);
      known.close();
      known = larger;
      view.putLong(KNOWN, known.address());
    }
    ByteBuffer out = known.slice(0, (int) bytes);
    for (int i = 0; i < files.size(); i++) {
      FileStatus file = files.get(i);
      out.putLong(KNOWN_BYTES * i, file.device());
      out.putLong(KNOWN_BYTES * i + 8, file.inode());
      out.putLong(KNOWN_BYTES * i + 16, file.ctimeSeconds());
      out.putLong(KNOWN_BYTES * i + 24, file.ctimeNanos());
    }
    view.putLong(KNOWN + 8, files.size());
  }

  /**
   * Enlarges what was too small in the last look; the events it took stay.
   *
   * @return false if nothing was too small
   */
  boolean makeRoom() throws IOException {
    boolean grown = false;
    if (view.getInt(MORE) != 0) {
      Memory larger = Memory.allocate(raw.size() * 4, Memory.Touch.LATER);
      io.deltabox.linux.NativeLibrary.core()
          .dbx_copy(larger.address(), raw.address(), view.getLong(RAW + 16));
      raw.close();
      raw = larger;
      place(RAW, raw);
      grown = true;
    }
    long areaNeed = view.getLong(AREA + 24);
    if (areaNeed > area.size()) {
      area.close();
      area = Memory.allocate(areaNeed + areaNeed / 2, Memory.Touch.NOW);
      place(AREA, area);
      grown = true;
    }
    long holders = view.getLong(HELD + 16);
    if (holders * HELD_BYTES > held.size()) {
      held.close();
      held = Memory.allocate(holders * 2 * HELD_BYTES, Memory.Touch.NOW);
      placeHeld();
      grown = true;
    }
    return grown;
  }

  @Override
  public void close() {
    plan.close();
    scratch.close();
    raw.close();
    area.close();
    held.close();
    known.close();
  }
}
