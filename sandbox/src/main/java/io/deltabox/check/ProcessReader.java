package io.deltabox.check;

import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** Reads one stopped process into facts and regions. */
final class ProcessReader {
  private static final List<String> STATUS_FIELDS =
      List.of(
          "Name",
          "Umask",
          "Uid",
          "Gid",
          "Groups",
          "Threads",
          "SigIgn",
          "SigCgt",
          "ShdPnd",
          "CapInh",
          "CapPrm",
          "CapEff",
          "CapBnd",
          "CapAmb",
          "NoNewPrivs",
          "Seccomp",
          "Seccomp_filters",
          "Cpus_allowed");

  private static final List<String> FILES =
      List.of("limits", "oom_score_adj", "personality", "coredump_filter");

  /** Fields of {@code stat}, counted from the one after the name in parentheses. */
  private static final Map<String, Integer> STAT_FIELDS =
      Map.ofEntries(
          Map.entry("terminal", 4),
          Map.entry("nice", 16),
          Map.entry("code start", 23),
          Map.entry("code end", 24),
          Map.entry("stack start", 25),
          Map.entry("exit signal", 35),
          Map.entry("real-time priority", 37),
          Map.entry("scheduling policy", 38),
          Map.entry("data start", 42),
          Map.entry("data end", 43),
          Map.entry("break start", 44),
          Map.entry("arguments start", 45),
          Map.entry("arguments end", 46),
          Map.entry("environment start", 47),
          Map.entry("environment end", 48));

  private static final int TERMINAL_GROUP = 5;

  /** Of a living process this is the signal that stopped it last (fs/proc/array.c). */
  private static final int EXIT_CODE = 49;

  private final CheckFunctions functions;
  private final MemoryReader memory;
  private final DescriptorReader descriptors;
  private final Memory scratch;
  private final Objects objects;
  private final Map<Integer, Integer> innerPids;

  ProcessReader(
      CheckFunctions functions, Scope scope, Memory scratch, Map<Integer, Integer> innerPids) {
    this.functions = functions;
    this.objects = new Objects();
    this.memory = new MemoryReader(functions, scope, objects);
    this.descriptors = new DescriptorReader(functions, scratch, objects);
    this.scratch = scratch;
    this.innerPids = innerPids;
  }

  ProcessImage read(int pid, int innerPid) throws IOException {
    Map<String, String> facts = new TreeMap<>();
    Map<String, String> status = ProcFile.fields(ProcFile.read("/proc/" + pid + "/status"));
    boolean zombie = ProcFile.field(status, "State").startsWith("Z");
    facts.put("zombie", String.valueOf(zombie));
    identity(status, facts);
    String[] stat = statFields(pid);
    for (Map.Entry<String, Integer> field : STAT_FIELDS.entrySet()) {
      facts.put(field.getKey(), stat[field.getValue()]);
    }
    facts.put("terminal group", inner(stat[TERMINAL_GROUP]));
    if (zombie) {
      facts.put("exit code", stat[EXIT_CODE]);
      return new ProcessImage(innerPid, facts, List.of());
    }
    for (String key : STATUS_FIELDS) {
      facts.put(key, ProcFile.field(status, key));
    }
    for (String file : FILES) {
      facts.put(file, ProcFile.read("/proc/" + pid + "/" + file).trim());
    }
    for (String link : List.of("exe", "root")) {
      facts.put(link, ProcFile.link("/proc/" + pid + "/" + link));
    }
    String cwd = "/proc/" + pid + "/cwd";
    Map<String, Object> identity = Files.readAttributes(Path.of(cwd), "unix:dev,ino,mode,uid,gid");
    String holder = innerPid + "/cwd";
    facts.put("cwd", objects.ofPlace(ProcFile.link(cwd), identity, holder));
    facts.put("cwd attributes", attributes(identity));
    timers(pid, facts);
    descriptors.read(pid, innerPids, facts);
    Map<Integer, ThreadState> threads = threads(pid, facts);
    return new ProcessImage(
        innerPid, facts, memory.read(pid, innerPid, MemoryReader.masks(threads)));
  }

  private static String attributes(Map<String, Object> of) {
    return "mode=" + of.get("mode") + " uid=" + of.get("uid") + " gid=" + of.get("gid");
  }

  private void identity(Map<String, String> status, Map<String, String> facts) {
    facts.put("parent", inner(ProcFile.field(status, "PPid")));
    facts.put("process group", ProcFile.last(ProcFile.field(status, "NSpgid")));
    facts.put("session", ProcFile.last(ProcFile.field(status, "NSsid")));
  }

  private String inner(String pid) {
    return String.valueOf(innerPids.getOrDefault(Integer.parseInt(pid), -1));
  }

  private static String[] statFields(int pid) throws IOException {
    String text = ProcFile.read("/proc/" + pid + "/stat");
    return text.substring(text.lastIndexOf(')') + 2).trim().split(" ");
  }

  private static void timers(int pid, Map<String, String> facts) throws IOException {
    // Listed in the order they were made, which no program can ask for.
    TreeSet<String> timers = new TreeSet<>();
    for (String timer : ProcFile.read("/proc/" + pid + "/timers").split("(?m)^(?=ID: )")) {
      timers.add(timer.replaceAll("/pid.*|/tid.*", "").trim().replace("\n", "; "));
    }
    facts.put("posix timers", String.join("; ", timers));
  }

  private Map<Integer, ThreadState> threads(int pid, Map<String, String> facts) throws IOException {
    Map<Integer, ThreadState> states = new TreeMap<>();
    for (int tid : ProcFile.numbers("/proc/" + pid + "/task")) {
      String path = "/proc/" + pid + "/task/" + tid;
      Map<String, String> status = ProcFile.fields(ProcFile.read(path + "/status"));
      String thread = "thread " + ProcFile.last(ProcFile.field(status, "NSpid"));
      for (String key : List.of("Name", "SigBlk", "SigPnd", "Uid", "CapEff", "Cpus_allowed")) {
        facts.put(thread + " " + key, ProcFile.field(status, key));
      }
      ThreadState state = ThreadState.read(functions, tid, scratch);
      state.describe(thread, facts);
      states.put(tid, state);
    }
    return states;
  }
}
