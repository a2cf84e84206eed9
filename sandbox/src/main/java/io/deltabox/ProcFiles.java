package io.deltabox;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What {@code /proc} of the host says about processes. */
final class ProcFiles {
  private static final int PROCESSES_MAX = 100_000;
  private static final int COMMAND_BYTES_MAX = 4096;

  private ProcFiles() {}

  /** Field 22 of {@code stat}: with the pid it names one process for ever. */
  static long startTime(long pid) throws IOException {
    String stat =
        Files.readString(Path.of("/proc", Long.toString(pid), "stat"), StandardCharsets.ISO_8859_1);
    // The name in brackets may hold anything, so count from the last bracket.
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    return Long.parseLong(fields[19]);
  }

  /** Everything below pid 1 of a sandbox, without it; what ends while we look is left out. */
  static List<ProcessInfo> below(int initPid) {
    Map<Integer, Integer> inner = new HashMap<>();
    inner.put(initPid, 1);
    List<ProcessInfo> found = new ArrayList<>();
    Deque<Integer> todo = new ArrayDeque<>(children(initPid));
    while (!todo.isEmpty() && found.size() < PROCESSES_MAX) {
      int pid = todo.poll();
      ProcessInfo info = read(pid, inner);
      if (info != null) {
        inner.put(pid, info.pid());
        found.add(info);
        todo.addAll(children(pid));
      }
    }
    found.sort(java.util.Comparator.comparingInt(ProcessInfo::pid));
    return found;
  }

  private static List<Integer> children(int pid) {
    List<Integer> children = new ArrayList<>();
    try (var tasks = Files.newDirectoryStream(Path.of("/proc", Integer.toString(pid), "task"))) {
      for (Path task : tasks) {
        for (String word : Files.readString(task.resolve("children")).trim().split(" ")) {
          if (!word.isEmpty()) {
            children.add(Integer.parseInt(word));
          }
        }
      }
    } catch (IOException | java.nio.file.DirectoryIteratorException ended) {
      return children;
    }
    return children;
  }

  private static @Nullable ProcessInfo read(int pid, Map<Integer, Integer> inner) {
    Path directory = Path.of("/proc", Integer.toString(pid));
    try {
      Map<String, String> status = new HashMap<>();
      for (String line :
          Files.readString(directory.resolve("status"), StandardCharsets.ISO_8859_1).split("\n")) {
        int colon = line.indexOf(':');
        if (colon > 0) {
          status.put(line.substring(0, colon), line.substring(colon + 1).trim());
        }
      }
      int parent = Integer.parseInt(status.getOrDefault("PPid", "0"));
      return new ProcessInfo(
          lastNumber(status.getOrDefault("NSpid", "0")),
          inner.getOrDefault(parent, 0),
          firstNumber(status.getOrDefault("Uid", "0")),
          status.getOrDefault("State", "?").charAt(0),
          firstNumber(status.getOrDefault("Threads", "0")),
          firstNumber(status.getOrDefault("VmRSS", "0")) * 1024L,
          command(directory, status.getOrDefault("Name", "?")));
    } catch (IOException | NumberFormatException ended) {
      return null;
    }
  }

  private static int firstNumber(String text) {
    return Integer.parseInt(text.split("\\s+")[0]);
  }

  private static int lastNumber(String text) {
    String[] words = text.split("\\s+");
    return Integer.parseInt(words[words.length - 1]);
  }

  private static String command(Path directory, String name) throws IOException {
    byte[] raw;
    try (var in = Files.newInputStream(directory.resolve("cmdline"))) {
      raw = in.readNBytes(COMMAND_BYTES_MAX);
    }
    String text = new String(raw, StandardCharsets.UTF_8).replace('\0', ' ').trim();
    // Processes choose both; a terminal must not obey them.
    return (text.isEmpty() ? "[" + name + "]" : text).replaceAll("\\p{Cntrl}", "?");
  }
}
