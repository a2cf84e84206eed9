package io.deltabox.cli.demo;

import io.deltabox.RollbackResult;
import io.deltabox.Sandbox;
import io.deltabox.SandboxSpec;
import io.deltabox.Snapshot;
import io.deltabox.capture.CaptureException;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/** One run of the demonstration. Used by one thread. */
final class Demo {
  /** Every fifth round is looked at by the independent reader too, which is slow. */
  private static final int CHECKED_EVERY = 5;

  /** Every seventh round removes what it may in the whole tree, which walks through all of it. */
  private static final int EVERYWHERE_EVERY = 7;

  private static final List<Programs.Blow> BLOWS = List.of(Programs.Blow.values());
  private static final String LATE = "did not stop in time";
  private static final int LATE_MAX = 5;

  private final CommandContext context;
  private final PrintWriter out;
  private final long seed;
  private final Random random;
  private final Pauses checkpoints = new Pauses("checkpoint");
  private final Pauses rollbacks = new Pauses("rollback");
  private final List<Known> known = new ArrayList<>();
  private final long started = System.nanoTime();
  private int rounds;

  /** A snapshot, the round that made it and what could be seen then. */
  private record Known(int round, Snapshot snapshot, Facts facts) {}

  Demo(CommandContext context, PrintWriter out, long seed) {
    this.context = context;
    this.out = out;
    this.seed = seed;
    this.random = new Random(seed);
  }

  /**
   * Runs all rounds.
   *
   * @throws DifferenceException if anything is not as it was
   */
  void run(int count) throws IOException, InterruptedException {
    say("seed " + seed + ", " + count + " rounds");
    Path bundle = context.data().resolve("demo.bundle");
    try (Sandbox sandbox = context.box().create(SandboxSpec.defaults())) {
      if (!Repository.bundle(context.directory(), bundle)) {
        Files.deleteIfExists(bundle);
      }
      Programs.install(sandbox, bundle);
      say(
          Programs.setUp(sandbox).equals("checkout")
              ? "working copy: the repository this was started in, with uncommitted edits"
              : "working copy: a generated repository, there is none to be read here");
      Programs programs = Programs.start(sandbox);
      say(
          "running: python3 (256 MB, 5 threads, a zombie), bash with three children, one of them"
              + " stopped, a web server");
      Map<String, String> rest = programs.rest();
      for (int round = 1; round <= count; round++) {
        if (context.cancelled()) {
          throw new IOException("called off");
        }
        round(sandbox, programs, round);
      }
      if (!rest.equals(programs.rest())) {
        throw new DifferenceException(
            "the read-only part of the tree: expected=" + rest + " found=" + programs.rest());
      }
    } finally {
      Files.deleteIfExists(bundle);
    }
  }

  private void round(Sandbox sandbox, Programs programs, int round)
      throws IOException, InterruptedException {
    boolean checked = round % CHECKED_EVERY == 0;
    boolean everywhere = round % EVERYWHERE_EVERY == 1;
    programs.work(random.nextInt(1_000_000));
    if (checked) {
      sandbox.checking(true);
    }
    Snapshot snapshot = again(sandbox::checkpoint);
    Known here = new Known(round, snapshot, programs.facts());
    known.add(here);
    Programs.Blow blow = BLOWS.get(round % BLOWS.size());
    programs.damage(random.nextInt(1_000_000), everywhere ? "all" : "mine", blow);
    Known target = checked ? here : known.get(random.nextInt(known.size()));
    RollbackResult result = again(() -> sandbox.rollback(target.snapshot()));
    if (checked) {
      // Its images are large; those of the next checked round replace them.
      sandbox.checking(false);
    } else {
      checkpoints.add(snapshot.stats().pauseNanos(), snapshot.stats().phaseNanos());
      rollbacks.add(result.pauseNanos(), result.phaseNanos());
    }
    compare(round, target, programs.facts());
    int code = random.nextInt(100);
    String heard = programs.finish(code);
    if (!heard.equals("worker exit=" + code)) {
      throw new DifferenceException(
          "round " + round + ": wait in the shell: expected=" + code + " found=" + heard);
    }
    rounds++;
    say(line(here, target, result, checked, everywhere, blow));
  }

  /** A checkpoint or a rollback. */
  private interface Operation<T> {
    T run() throws IOException;
  }

  /** Tries again, and says so, when a thread got no processor before the deadline of the stop. */
  private <T> T again(Operation<T> operation) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        return operation.run();
      } catch (CaptureException e) {
        if (attempt == LATE_MAX || !String.valueOf(e.getMessage()).contains(LATE)) {
          throw e;
        }
        say("a thread did not stop in time on this busy machine, once more");
      }
    }
  }

  private void compare(int round, Known target, Facts now) throws DifferenceException {
    List<String> differences = now.differences(target.facts());
    if (!differences.isEmpty()) {
      throw new DifferenceException(
          "round "
              + round
              + ", rolled back to the snapshot of round "
              + target.round()
              + ", seed "
              + seed
              + ":\n  "
              + String.join("\n  ", differences));
    }
  }

  private static String line(
      Known here,
      Known target,
      RollbackResult result,
      boolean checked,
      boolean everywhere,
      Programs.Blow blow) {
    return String.format(
        Locale.ROOT,
        "round %2d: saved in %.2f ms, %s, %s, back to round %d in %.2f ms: %d pages, %d files, %d"
            + " processes ended, %d made; equal%s",
        here.round(),
        here.snapshot().stats().pauseNanos() / 1e6,
        everywhere ? "wrecked by rm -rf /" : "wrecked",
        blow.text(),
        target.round(),
        result.pauseNanos() / 1e6,
        result.pageCount(),
        result.fileCount(),
        result.processesEnded(),
        result.processesMade(),
        checked ? ", also to the independent reader" : "");
  }

  private void say(String line) {
    out.println(line);
    out.flush();
  }

  /** For machines. */
  Map<String, Object> report() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("demo", "OK");
    map.put("rounds", rounds);
    map.put("checked_rounds", rounds / CHECKED_EVERY);
    map.put("seed", seed);
    map.put("seconds", seconds());
    map.put("checkpoint_ms", checkpoints.describe());
    map.put("rollback_ms", rollbacks.describe());
    return map;
  }

  /** For people. */
  String text() {
    return String.format(
        Locale.ROOT,
        "%n%s%n%s%n%d rounds in %.1f s, 0 differences; %d of them compared by the independent reader"
            + " too and not in the tables",
        checkpoints.table(),
        rollbacks.table(),
        rounds,
        seconds(),
        rounds / CHECKED_EVERY);
  }

  private double seconds() {
    return Math.round((System.nanoTime() - started) / 1e8) / 10.0;
  }
}
