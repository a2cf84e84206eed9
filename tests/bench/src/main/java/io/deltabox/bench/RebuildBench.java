package io.deltabox.bench;

import io.deltabox.Exec;
import io.deltabox.ExecSpec;
import io.deltabox.ExecStatus;
import io.deltabox.RollbackResult;
import io.deltabox.Sandbox;
import io.deltabox.SandboxSpec;
import io.deltabox.Snapshot;
import io.deltabox.cli.CommandContext;
import io.deltabox.linux.Memory;
import io.deltabox.linux.NativeLibrary;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What has died since comes back: a thread and a small child, a tree of shells, and a whole program
 * in a new sandbox. Each next to the same state reached from scratch, in the same run. Used by one
 * thread.
 */
final class RebuildBench {
  private static final int WARMUP_LARGE = 2;

  /** The large cases take a second a round and vary little. */
  private static final int LARGE_DIVISOR = 5;

  private static final int LARGE_MIN = 5;
  private static final int SMALL_BYTES = 1 << 20;
  private static final int COPY_STEP = 1 << 20;

  private final CommandContext context;
  private final CrSettings settings;
  private final RebuildRow small =
      new RebuildRow("a thread and a child of a program of 1 MiB, ended since", 8);
  private final RebuildRow tree = new RebuildRow("a command of three processes, all dead", 30);
  private final RebuildRow restore;
  private int verified;

  RebuildBench(CommandContext context, CrSettings settings) {
    this.context = context;
    this.settings = settings;
    this.restore =
        new RebuildRow(
            "a Python program of " + (settings.rssBytes() >> 20) + " MiB in a new sandbox", 120);
  }

  /** Measures and answers the report. */
  Map<String, Object> run() throws IOException, InterruptedException {
    double loadBefore = Machine.load();
    say("a thread and a child");
    smallRounds();
    say("a tree of three processes");
    treeRounds();
    say("a program in a new sandbox");
    restoreRounds();
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("bench", "cr --rebuild");
    Map<String, Object> how = new LinkedHashMap<>();
    how.put("rss_bytes", settings.rssBytes());
    how.put("rounds", settings.rounds());
    how.put("rounds_new_sandbox", largeRounds());
    how.put("warmup_rounds_not_counted", settings.warmupRounds());
    how.put("seed", settings.seed());
    report.put("settings", how);
    Map<String, Object> rows = new LinkedHashMap<>();
    rows.put("thread_and_child", small.describe());
    rows.put("tree", tree.describe());
    rows.put("restore", restore.describe());
    report.put("rows", rows);
    report.put("verified", verified);
    Map<String, Object> machine = new LinkedHashMap<>(Machine.describe());
    machine.put("load_before", loadBefore);
    machine.put("load_after", Machine.load());
    report.put("machine", machine);
    return report;
  }

  private void say(String what) throws IOException {
    if (context.cancelled()) {
      throw new IOException("called off");
    }
    context.err().println("bench cr --rebuild: " + what);
    context.err().flush();
  }

  private int largeRounds() {
    return Math.max(LARGE_MIN, settings.rounds() / LARGE_DIVISOR);
  }

  private static void same(String what, String expected, String found) throws IOException {
    if (!expected.equals(found)) {
      throw new IOException(what + " is not what it was: expected=" + expected + " found=" + found);
    }
  }

  /** Kills processes and returns when they are gone: nothing of their end is left to do. */
  private static void killed(Sandbox sandbox, List<Integer> pids)
      throws IOException, InterruptedException {
    StringBuilder script = new StringBuilder("kill -9");
    pids.forEach(pid -> script.append(' ').append(pid));
    script.append("; for p in");
    pids.forEach(pid -> script.append(' ').append(pid));
    script.append("; do while kill -0 $p; do :; done; done 2> /dev/null");
    if (sandbox.exec("bash", "-c", script.toString()).status().shellCode() != 0) {
      throw new IOException("kill processes inside failed: pids=" + pids);
    }
  }

  private Conversation startSmall(Sandbox sandbox, String program) throws IOException {
    Conversation talk =
        new Conversation(
            sandbox.start(
                ExecSpec.of(
                    program,
                    Integer.toString(SMALL_BYTES),
                    "1",
                    Installed.DIRECTORY,
                    Long.toString(settings.seed()))));
    talk.expect("ready");
    return talk;
  }

  private static int grow(Conversation talk) throws IOException {
    talk.say("thread+");
    talk.expect("done");
    talk.say("fork");
    return Integer.parseInt(talk.hear().replace("child ", ""));
  }

  private void smallRounds() throws IOException, InterruptedException {
    try (Sandbox sandbox = context.box().create(SandboxSpec.defaults())) {
      String program = Installed.put(sandbox, "workload");
      try (Conversation talk = startSmall(sandbox, program)) {
        int child = grow(talk);
        Snapshot then = sandbox.checkpoint();
        String digest = talk.ask("digest");
        for (int round = 0; round < settings.warmupRounds() + settings.rounds(); round++) {
          talk.say("thread-");
          talk.expect("done");
          killed(sandbox, List.of(child));
          long start = System.nanoTime();
          RollbackResult done = sandbox.rollback(then);
          String found = talk.ask("digest");
          long answered = System.nanoTime() - start;
          same("memory", digest, found);
          made(done, 1);
          if (round >= settings.warmupRounds()) {
            small.add(done, answered);
          }
        }
      }
      for (int round = 0; round < largeRounds(); round++) {
        long start = System.nanoTime();
        try (Conversation talk = startSmall(sandbox, program)) {
          grow(talk);
          talk.ask("digest");
          small.addFresh(System.nanoTime() - start);
        }
      }
    }
  }

  private void made(RollbackResult done, int processes) throws IOException {
    if (done.processesMade() != processes || done.rebuilt()) {
      throw new IOException(
          "rollback made other processes again than had ended: expected="
              + processes
              + " found="
              + done.processesMade()
              + " rebuilt="
              + done.rebuilt());
    }
    verified++;
  }

  private static Conversation startTree(Sandbox sandbox) throws IOException {
    Conversation talk =
        new Conversation(sandbox.start(ExecSpec.of("bash", "-c", "bash -c 'cat; exit 3'; exit 4")));
    talk.say("first");
    talk.expect("first");
    return talk;
  }

  private static void echo(Conversation talk, String line) throws IOException {
    talk.say(line);
    talk.expect(line);
  }

  private void treeRounds() throws IOException, InterruptedException {
    try (Sandbox sandbox = context.box().create(SandboxSpec.defaults())) {
      try (Conversation talk = startTree(sandbox)) {
        echo(talk, "first");
        Exec shell = talk.exec();
        List<Integer> pids =
            sandbox.processes().stream().map(p -> p.pid()).filter(p -> p != 1).toList();
        if (pids.size() != 3) {
          throw new IOException("three processes expected: found=" + sandbox.processes());
        }
        Snapshot then = sandbox.checkpoint();
        for (int round = 0; round < settings.warmupRounds() + settings.rounds(); round++) {
          killed(sandbox, pids);
          ExecStatus ended = shell.waitFor();
          if (!ended.ended()) {
            throw new IOException("command has not ended: " + ended);
          }
          String line = "again " + round;
          long start = System.nanoTime();
          RollbackResult done = sandbox.rollback(then);
          echo(talk, line);
          long answered = System.nanoTime() - start;
          made(done, 3);
          if (round >= settings.warmupRounds()) {
            tree.add(done, answered);
          }
        }
      }
      for (int round = 0; round < largeRounds(); round++) {
        long start = System.nanoTime();
        try (Conversation talk = startTree(sandbox)) {
          echo(talk, "first");
          tree.addFresh(System.nanoTime() - start);
        }
      }
    }
  }

  private Conversation startPython(Sandbox sandbox, String program) throws IOException {
    Conversation talk =
        new Conversation(
            sandbox.start(
                ExecSpec.of(
                    "/usr/bin/python3",
                    program,
                    Long.toString(settings.rssBytes()),
                    "1",
                    Installed.DIRECTORY)));
    talk.expect("ready");
    return talk;
  }

  private void restoreRounds() throws IOException, InterruptedException {
    try (Sandbox sandbox = context.box().create(SandboxSpec.defaults())) {
      String program = Installed.put(sandbox, "workload.py");
      try (Conversation talk = startPython(sandbox, program)) {
        int command = talk.exec().id();
        Snapshot then = sandbox.checkpoint();
        String digest = talk.ask("digest");
        for (int round = 0; round < WARMUP_LARGE + largeRounds(); round++) {
          restored(then, command, digest, round >= WARMUP_LARGE);
        }
      }
    }
    for (int round = 0; round < LARGE_MIN; round++) {
      try (Sandbox sandbox = context.box().create(SandboxSpec.defaults())) {
        String program = Installed.put(sandbox, "workload.py");
        long start = System.nanoTime();
        try (Conversation talk = startPython(sandbox, program)) {
          talk.ask("gap");
          restore.addFresh(System.nanoTime() - start);
        }
      }
    }
  }

  private void restored(Snapshot then, int command, String digest, boolean count)
      throws IOException {
    long start = System.nanoTime();
    try (Sandbox made = context.box().restore(then, null)) {
      long called = System.nanoTime() - start;
      try (Conversation talk = new Conversation(made.exec(command))) {
        talk.ask("gap");
        long answered = System.nanoTime() - start;
        same("memory", digest, talk.ask("digest"));
        verified++;
        if (count) {
          restore.add(called, answered);
          restore.addCopy(copy());
        }
      }
    }
  }

  /** Memory as large as the program's, written for the first time. */
  private long copy() throws IOException {
    try (Memory from = Memory.allocate(COPY_STEP, Memory.Touch.NOW)) {
      long start = System.nanoTime();
      try (Memory to = Memory.allocate(settings.rssBytes(), Memory.Touch.LATER)) {
        for (long at = 0; at + COPY_STEP <= settings.rssBytes(); at += COPY_STEP) {
          NativeLibrary.core().dbx_copy(to.address() + at, from.address(), COPY_STEP);
        }
        return System.nanoTime() - start;
      }
    }
  }
}
