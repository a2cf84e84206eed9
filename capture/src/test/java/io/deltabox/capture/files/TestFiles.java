package io.deltabox.capture.files;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The files of a sandbox without a sandbox: an overlay on a private file system in memory, all
 * mounts detached, so that nothing is left behind.
 */
final class TestFiles implements AutoCloseable {
  final FileOps ops;
  final int baseMount;
  final int overMount;
  final int tmpfs;
  final int mount;
  final int clone;
  final ContentStore store;
  final FileTracker tracker;
  private final boolean ownsBase;
  private static final java.lang.management.ThreadMXBean CPU =
      java.lang.management.ManagementFactory.getThreadMXBean();

  long windowNanos;
  long captureNanos;
  private final Memory arena;

  interface Fill {
    void at(Path base) throws IOException;
  }

  static boolean available() {
    int fd = FileOps.calls().dbx_file_mount_memory(1 << 20);
    if (fd < 0) {
      System.out.println("UNAVAILABLE: detached mounts: " + Errno.text(-fd));
      return false;
    }
    FileOps.calls().dbx_file_close(fd);
    return true;
  }

  TestFiles(Fill fill) throws IOException {
    ops = new FileOps();
    ownsBase = true;
    store = new ContentStore();
    baseMount = check(FileOps.calls().dbx_file_mount_memory(256L << 20));
    Path base = Path.of("/proc/self/fd/" + baseMount);
    Files.createDirectory(base.resolve(".cover"));
    Files.writeString(base.resolve("secret"), "hidden by the upper of the two lower layers");
    fill.at(base);
    overMount = check(FileOps.calls().dbx_file_mount_memory(16L << 20));
    Path over = Path.of("/proc/self/fd/" + overMount);
    Files.createDirectory(over.resolve("etc"));
    Files.writeString(over.resolve("etc/hosts"), "127.0.0.1 localhost");
    ops.make(overMount, "secret", FileMeta.TYPE_CHARACTER, 0, 0);
    tmpfs = privateFiles();
    mount = overlay();
    clone = ops.clone(mount, "");
    tracker = FileTracker.open(layout(), store);
    arena = Memory.allocate(16 << 20, Memory.Touch.LATER);
  }

  /** A second, empty sandbox over the base of another, which must live longer. */
  TestFiles(TestFiles other) throws IOException {
    ops = new FileOps();
    ownsBase = false;
    store = other.store;
    baseMount = other.baseMount;
    overMount = other.overMount;
    tmpfs = privateFiles();
    mount = overlay();
    clone = ops.clone(mount, "");
    tracker = FileTracker.open(layout(), store);
    arena = Memory.allocate(16 << 20, Memory.Touch.LATER);
  }

  private static int privateFiles() throws IOException {
    int tmpfs = check(FileOps.calls().dbx_file_mount_memory(1L << 30));
    for (String name : List.of("upper", "work", "shm")) {
      Files.createDirectory(Path.of("/proc/self/fd/" + tmpfs).resolve(name));
    }
    return tmpfs;
  }

  private int overlay() throws IOException {
    int path = FileOps.O_PATH | FileOps.O_DIRECTORY;
    int upper = ops.open(tmpfs, "upper", path);
    int work = ops.open(tmpfs, "work", path);
    int made = ops.overlay(List.of(overMount, baseMount), upper, work);
    ops.close(upper);
    ops.close(work);
    return made;
  }

  private FileLayout layout() {
    return new FileLayout(
        clone,
        tmpfs,
        List.of(overMount, baseMount),
        "upper",
        "work",
        "shm",
        ".cover",
        List.of(),
        "");
  }

  private static int check(int result) throws IOException {
    return (int) Errno.check(result, "mount");
  }

  /** The sandbox's view, for this process. */
  Path root() {
    return Path.of("/proc/self/fd/" + mount);
  }

  /** The sandbox's view, for another process. */
  String outside() {
    return "/proc/" + ProcessHandle.current().pid() + "/fd/" + mount;
  }

  String outsideShared() {
    return "/proc/" + ProcessHandle.current().pid() + "/fd/" + tmpfs + "/shm";
  }

  /** A checkpoint: the window, then the state from its records. */
  FileState checkpoint(List<Integer> pids) throws IOException {
    for (; ; ) {
      tracker.windowPlan();
      hold(pids);
      ByteBuffer header = arena.slice(0, 32);
      header.putLong(0, arena.address() + 32);
      header.putLong(8, arena.size() - 32);
      header.putLong(16, 0);
      header.putLong(24, 0);
      long start = CPU.getCurrentThreadCpuTime();
      int result =
          FileOps.calls().dbx_file_window(tracker.windowPlan0().address(), arena.address());
      if (result == -FileOps.ENOBUFS && tracker.makeRoom()) {
        continue;
      }
      check(result);
      windowNanos = CPU.getCurrentThreadCpuTime() - start;
      if (header.getLong(24) > arena.size() - 32) {
        throw new IOException("test arena is too small: need=" + header.getLong(24));
      }
      ByteBuffer records = arena.slice(32, (int) header.getLong(16));
      start = CPU.getCurrentThreadCpuTime();
      FileState state = tracker.capture(records);
      captureNanos = CPU.getCurrentThreadCpuTime() - start;
      return state;
    }
  }

  FileState checkpoint() throws IOException {
    return checkpoint(List.of());
  }

  FileRollbackResult rollback(FileState target, List<Integer> pids) throws IOException {
    return tracker.rollback(target, ProcHolders.read(pids));
  }

  /** What an engine tells the window: files open for writing, and shared writable mappings. */
  void hold(List<Integer> pids) throws IOException {
    for (int pid : pids) {
      for (Path info : list(Path.of("/proc/" + pid + "/fdinfo"))) {
        for (String line : Files.readAllLines(info)) {
          if (line.startsWith("flags:")
              && (Integer.parseInt(line.substring(6).trim(), 8) & 3) != 0) {
            tracker.hold(pid, Integer.parseInt(info.getFileName().toString()), 0, 0);
          }
        }
      }
      for (String line :
          Files.readAllLines(
              Path.of("/proc/" + pid + "/maps"), java.nio.charset.StandardCharsets.ISO_8859_1)) {
        String[] words = line.split("\\s+", 6);
        if (words.length > 5 && words[1].charAt(1) == 'w' && words[1].charAt(3) == 's') {
          String[] range = words[0].split("-");
          tracker.hold(
              pid, -1, Long.parseUnsignedLong(range[0], 16), Long.parseUnsignedLong(range[1], 16));
        }
      }
    }
  }

  private static List<Path> list(Path directory) throws IOException {
    List<Path> all = new ArrayList<>();
    try (var entries = Files.newDirectoryStream(directory)) {
      entries.forEach(all::add);
    }
    return all;
  }

  Map<String, String> truth(Agent agent) throws IOException {
    Map<String, String> all = agent.walk(outside());
    agent.walk(outsideShared()).forEach((path, text) -> all.put("shm:" + path, text));
    return all;
  }

  @Override
  public void close() {
    tracker.close();
    arena.close();
    for (int fd : new int[] {clone, mount, tmpfs}) {
      ops.close(fd);
    }
    if (ownsBase) {
      ops.close(baseMount);
      ops.close(overMount);
      store.close();
    }
    ops.close();
  }
}
