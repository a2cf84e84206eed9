package io.deltabox.capture;

import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * An engine's hold on one running container: who traces it, what is known of its memory and files.
 * A sandbox that is rebuilt gets a new container and with it a new hold. Used on the tracing thread
 * under the engine's guard.
 */
final class Hold implements AutoCloseable {
  private static final int FOLLOWED_MAX = 8192;
  private static final int PRECOPY_ROUNDS_MAX = 4096;

  /**
   * Room for the records of a round that fits a burst: 64 KiB that the engine keeps free, and
   * pages.
   */
  private static final long PACED_BYTES = (64 << 10) + 40 * 4160;

  final CaptureTarget target;
  final Tracer tracer;
  final Window window;
  final FilesPart files;
  final MemoryWork work;
  final Aliases aliases = new Aliases();

  /**
   * Layouts with their advice as of the last checkpoint or rollback, by number in the daemon's
   * namespace.
   */
  final Map<Integer, List<Region>> layouts = new HashMap<>();

  private final Memory pids;

  private Hold(
      CaptureTarget target,
      Tracer tracer,
      Window window,
      FilesPart files,
      MemoryWork work,
      Memory pids) {
    this.target = target;
    this.tracer = tracer;
    this.window = window;
    this.files = files;
    this.work = work;
    this.pids = pids;
  }

  static Hold open(CaptureTarget target, Keeper keeper) throws IOException {
    Tracer tracer = Tracer.open(target);
    Window window = new Window(tracer);
    Memory pids = Memory.allocate(FOLLOWED_MAX * 4L, Memory.Touch.NOW);
    FilesPart files = FilesPart.open(target, keeper.contents());
    return new Hold(target, tracer, window, files, keeper.newWork(tracer.pace()), pids);
  }

  /** Follows new processes and copies what was written so far, while the sandbox runs. */
  void prepare() throws IOException {
    files.prepare();
    tracer.pace().point();
    int count = tracer.calls.dbx_engine_prepare(tracer.handle(), pids.address(), FOLLOWED_MAX);
    if (count < 0) {
      return;
    }
    ByteBuffer list = pids.slice(0, FOLLOWED_MAX * 4);
    for (int i = 0; i < count; i++) {
      int pid = list.getInt(4 * i);
      for (int round = 0; round < PRECOPY_ROUNDS_MAX && precopy(pid); round++) {
        tracer.pace().point();
      }
      tracer.pace().point();
    }
    tracer.settleLater();
  }

  /** One round; true if more is left. */
  private boolean precopy(int pid) throws IOException {
    Memory arena = window.arena();
    boolean paced = tracer.pace().on();
    long room = paced ? Math.min(PACED_BYTES, arena.size()) : arena.size();
    long bytes = tracer.calls.dbx_engine_precopy(tracer.handle(), pid, arena.address(), room);
    if (bytes <= 0) {
      return false;
    }
    tracer.pace().point();
    WindowRecords records =
        WindowRecords.parse(arena.slice(0, (int) bytes), arena.address(), tracer.devices());
    WindowRecords.Entry entry = records.entries().get(pid);
    if (entry == null) {
      return false;
    }
    try {
      work.apply(pid, entry, PageMap.EMPTY);
    } catch (KeeperFullException e) {
      // Not handed over: the checkpoint finds these pages again and says that there is no room.
      return false;
    }
    tracer.calls.dbx_engine_acknowledge(tracer.handle());
    // A round that was not filled left nothing; the next would look for what was written since.
    return bytes > room / 2;
  }

  @Override
  public void close() {
    tracer.close();
    files.close();
    window.close();
    pids.close();
  }
}
