package io.deltabox.check;

import io.deltabox.linux.Memory;
import io.deltabox.linux.NativeLibrary;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Takes images of a sandbox that is stopped: every process of its pid namespace but pid 1, and its
 * file tree.
 *
 * <p>Must be called while all threads are stopped. Registers, signal masks and queued signals are
 * read only when the calling thread is the one that traces them; otherwise they are left out, and
 * the memory of restartable sequences may then differ from image to image. Nothing is held open
 * between calls. Not thread-safe.
 */
public final class Oracle {
  private static final int SCRATCH_BYTES = 4096;

  private final CheckFunctions functions = NativeLibrary.bind(CheckFunctions.class);
  private final Scope scope;

  public Oracle(Scope scope) {
    this.scope = scope;
  }

  /**
   * Reads everything that two equal states must agree on.
   *
   * @param initPid pid 1 of the sandbox, in the caller's pid namespace
   */
  public Image image(int initPid) throws IOException {
    Map<Integer, Integer> innerPids = processes(initPid);
    Map<Integer, ProcessImage> images = new TreeMap<>();
    try (Memory scratch = Memory.allocate(SCRATCH_BYTES, Memory.Touch.NOW)) {
      ProcessReader reader = new ProcessReader(functions, scope, scratch, innerPids);
      Map<Integer, Integer> byInner = new TreeMap<>();
      innerPids.forEach((pid, inner) -> byInner.put(inner, pid));
      for (Map.Entry<Integer, Integer> process : byInner.entrySet()) {
        if (process.getValue() != initPid) {
          images.put(process.getKey(), reader.read(process.getValue(), process.getKey()));
        }
      }
    }
    return new Image(images, new FileReader(functions, scope).read(initPid));
  }

  /** Number in the caller's namespace to number inside, of pid 1 and all its descendants. */
  private static Map<Integer, Integer> processes(int initPid) throws IOException {
    Map<Integer, Integer> found = new TreeMap<>();
    Deque<Integer> open = new ArrayDeque<>(List.of(initPid));
    while (!open.isEmpty()) {
      int pid = open.remove();
      Map<String, String> status = ProcFile.fields(ProcFile.read("/proc/" + pid + "/status"));
      found.put(pid, Integer.parseInt(ProcFile.last(ProcFile.field(status, "NSpid"))));
      for (int tid : ProcFile.numbers("/proc/" + pid + "/task")) {
        String children = ProcFile.read("/proc/" + pid + "/task/" + tid + "/children").trim();
        for (String child : children.isEmpty() ? new String[0] : children.split(" ")) {
          open.add(Integer.parseInt(child));
        }
      }
    }
    return found;
  }
}
