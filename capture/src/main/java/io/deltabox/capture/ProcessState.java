package io.deltabox.capture;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One process as a capture found it, without the content of its memory and without its descriptors.
 * Immutable.
 *
 * <p>Kept as the record the native code wrote ({@code struct dbx_record_process}) plus its threads,
 * regions and waiting signals.
 */
final class ProcessState {
  static final int SIGNALS = 64;
  static final int LIMITS = 16;
  static final int TIMERS = 3;

  private static final int NEW = 1;
  private static final int ZOMBIE = 2;
  private static final int LEADER_DEAD = 4;
  private static final int EXECED = 8;
  private static final int FILTERED = 16;

  private static final int IDENTITY = 16;
  private static final int BRK = 40;
  private static final int UIDS = 48;
  private static final int ATTRIBUTES = UIDS + 32;
  private static final int AT_AFFINITY = ATTRIBUTES + 24;
  private static final int AFFINITY_BYTES = 128;
  private static final int AT_LIMITS = AT_AFFINITY + AFFINITY_BYTES;
  private static final int AT_TIMERS = AT_LIMITS + LIMITS * 16;
  private static final int AT_ACTIONS = AT_TIMERS + TIMERS * 32;

  static final int RECORD_BYTES_MIN = AT_ACTIONS + SIGNALS * 32;

  private final byte[] record;
  private final ByteBuffer view;
  private final @Nullable ImageState image;
  private final List<ThreadState> threads;
  private final List<Region> regions;
  private final List<SignalQueue> signals;
  private final List<PosixTimer> timers;

  ProcessState(
      byte[] record,
      @Nullable ImageState image,
      List<ThreadState> threads,
      List<Region> regions,
      List<SignalQueue> signals,
      List<PosixTimer> timers) {
    this.record = record;
    this.image = image;
    this.view = ByteBuffer.wrap(record).order(ByteOrder.LITTLE_ENDIAN);
    this.threads = List.copyOf(threads);
    this.regions = List.copyOf(regions);
    this.signals = List.copyOf(signals);
    this.timers = List.copyOf(timers);
  }

  /** The record as the native code wrote it. */
  byte[] record() {
    return record.clone();
  }

  /** Number in the daemon's pid namespace; meaningful only while the process lives. */
  int pid() {
    return view.getInt(0);
  }

  /** Number inside the sandbox. */
  int inner() {
    return view.getInt(4);
  }

  /** The parent's number in the daemon's namespace; 0: pid 1 of the sandbox. */
  int parentPid() {
    return view.getInt(8);
  }

  /** Why it could not be followed, as a negated error number, or 0. */
  int error() {
    return view.getInt(12);
  }

  int group() {
    return view.getInt(IDENTITY);
  }

  int session() {
    return view.getInt(IDENTITY + 4);
  }

  int innerParent() {
    return view.getInt(IDENTITY + 8);
  }

  boolean isNew() {
    return flag(NEW);
  }

  boolean zombie() {
    return flag(ZOMBIE);
  }

  boolean leaderDead() {
    return flag(LEADER_DEAD);
  }

  /** It called execve since it was last captured. */
  boolean execed() {
    return flag(EXECED);
  }

  /** It runs under a system call filter of its own, so little is told of it. */
  boolean filtered() {
    return flag(FILTERED);
  }

  private boolean flag(int bit) {
    return (view.getInt(28) & bit) != 0;
  }

  /** Address of the engine's scratch area in it. */
  long scratch() {
    return view.getLong(32);
  }

  long brk() {
    return view.getLong(BRK);
  }

  /** Real, effective, saved user id, then the same of the group. */
  int[] ids() {
    int[] ids = new int[6];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = view.getInt(UIDS + 4 * i);
    }
    return ids;
  }

  boolean noNewPrivileges() {
    return view.getInt(UIDS + 24) != 0;
  }

  /** Signal its main thread gets when its parent ends; prctl(2), PR_SET_PDEATHSIG. */
  int deathSignal() {
    return view.getInt(UIDS + 28);
  }

  /** prctl(2), PR_GET_DUMPABLE. */
  int dumpable() {
    return view.getInt(ATTRIBUTES);
  }

  int secureBits() {
    return view.getInt(ATTRIBUTES + 4);
  }

  boolean subreaper() {
    return view.getInt(ATTRIBUTES + 8) != 0;
  }

  /** -20 to 19; getpriority(2), whose raw call tells 20 minus it. */
  int nice() {
    return 20 - view.getInt(ATTRIBUTES + 12);
  }

  int personality() {
    return view.getInt(ATTRIBUTES + 16);
  }

  /** Bits of the processors its main thread may run on; sched_getaffinity(2). */
  byte[] affinity() {
    return Arrays.copyOfRange(record, AT_AFFINITY, AT_AFFINITY + AFFINITY_BYTES);
  }

  /** What execve left of it, and how it ended; null if it could not be read. */
  @Nullable ImageState image() {
    return image;
  }

  long softLimit(int resource) {
    return view.getLong(AT_LIMITS + 16 * resource);
  }

  long hardLimit(int resource) {
    return view.getLong(AT_LIMITS + 16 * resource + 8);
  }

  /**
   * {@code struct itimerval} of timer 0 to 2: interval and remaining time, each seconds and
   * microseconds.
   */
  byte[] timer(int timer) {
    return Arrays.copyOfRange(record, AT_TIMERS + 32 * timer, AT_TIMERS + 32 * (timer + 1));
  }

  /** The kernel's {@code struct sigaction} of signal 1 to 64. */
  byte[] action(int signal) {
    int at = AT_ACTIONS + 32 * (signal - 1);
    return Arrays.copyOfRange(record, at, at + 32);
  }

  boolean sameActions(ProcessState other) {
    return Arrays.equals(
        record, AT_ACTIONS, record.length, other.record, AT_ACTIONS, other.record.length);
  }

  List<ThreadState> threads() {
    return threads;
  }

  List<Region> regions() {
    return regions;
  }

  List<SignalQueue> signals() {
    return signals;
  }

  /** Those of timer_create(2). */
  List<PosixTimer> timers() {
    return timers;
  }

  String name() {
    if (threads.isEmpty()) {
      return image == null ? "?" : image.name();
    }
    return threads.get(0).name();
  }

  /** As messages name it: number inside and name. */
  String label() {
    return "pid=" + inner() + " comm=" + name();
  }

  @Nullable ThreadState thread(int innerThread) {
    for (ThreadState thread : threads) {
      if (thread.inner() == innerThread) {
        return thread;
      }
    }
    return null;
  }

  @Nullable Region regionAt(long address) {
    int from = 0;
    int to = regions.size();
    while (from < to) {
      int mid = (from + to) >>> 1;
      if (regions.get(mid).end() <= address) {
        from = mid + 1;
      } else {
        to = mid;
      }
    }
    return from < regions.size() && regions.get(from).start() <= address ? regions.get(from) : null;
  }

  /** Nothing about it differs, memory and descriptors aside. Running timers always differ. */
  boolean same(ProcessState other) {
    if (!Arrays.equals(record, IDENTITY, 28, other.record, IDENTITY, 28)
        || !Arrays.equals(record, BRK, record.length, other.record, BRK, other.record.length)
        || threads.size() != other.threads.size()
        || signals.size() != other.signals.size()
        || !timers.equals(other.timers)
        || (image != null && !image.same(other.image))
        || !regions.equals(other.regions)) {
      return false;
    }
    for (int i = 0; i < signals.size(); i++) {
      if (!signals.get(i).same(other.signals.get(i))) {
        return false;
      }
    }
    for (ThreadState thread : threads) {
      if (!thread.same(other.thread(thread.inner()))) {
        return false;
      }
    }
    return true;
  }
}
