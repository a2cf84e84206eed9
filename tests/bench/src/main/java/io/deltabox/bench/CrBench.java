package io.deltabox.bench;

import io.deltabox.RollbackResult;
import io.deltabox.Sandbox;
import io.deltabox.SandboxSpec;
import io.deltabox.Snapshot;
import io.deltabox.capture.CaptureException;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * One run: rounds of dirty, checkpoint, dirty, rollback. Used by one thread.
 *
 * <p>Between the program's answer and the request nothing is waited for, so that nothing can be
 * copied ahead in an idle moment. Digests are asked for only after the clock has stopped.
 */
final class CrBench {
  private static final int BACK = 20;
  private static final int BACK_EVERY = 4;

  /** Older snapshots are dropped, so that a long run fits the memory for snapshots. */
  private static final int KEPT = BACK + 2;

  private static final int SAY_EVERY = 25;

  private static final String LATE = "did not stop in time";
  private static final int LATE_MAX = 5;

  private final CommandContext context;
  private final CrSettings settings;
  private final Measured checkpoints = new Measured();
  private final Measured rollbacks = new Measured();
  private final Measured rollbacksFar = new Measured();

  /**
   * Largest gaps while nothing is done for as long as a checkpoint took: what the machine causes.
   */
  private final Samples undisturbed = new Samples();

  private final List<Known> lineage = new ArrayList<>();
  private int verified;
  private int late;

  /** A snapshot and what the program's digest was at it. */
  private record Known(Snapshot snapshot, String digest) {}

  /** A run's parts, so that they need not be passed one by one. */
  private record Live(Sandbox sandbox, Workload workload, Witness witness) {}

  /** Whether a round's times are kept. */
  private enum Count {
    YES,
    NO
  }

  CrBench(CommandContext context, CrSettings settings) {
    this.context = context;
    this.settings = settings;
  }

  /** Measures and answers the report. */
  Map<String, Object> run() throws IOException, InterruptedException {
    double loadBefore = Machine.load();
    Samples reference;
    try (Sandbox sandbox = context.box().create(SandboxSpec.defaults());
        Workload workload = Workload.start(sandbox, settings);
        Witness witness =
            Witness.open(workload.pid(), Long.toString(settings.seed()), workload.address());
        Reference work = new Reference(settings)) {
      sandbox.onPhase(witness);
      reference = work.samples();
      Live live = new Live(sandbox, workload, witness);
      int warmup = settings.warmupRounds();
      for (int round = 0; round < warmup + settings.rounds(); round++) {
        say(round - warmup);
        Count count = round < warmup ? Count.NO : Count.YES;
        round(live, round, count);
        if (count == Count.YES) {
          work.measure();
        }
      }
      checked(live);
    }
    return report(loadBefore, reference);
  }

  private void say(int round) throws IOException {
    if (context.cancelled()) {
      throw new IOException("called off");
    }
    if (round == -settings.warmupRounds()) {
      progress("warming up: " + settings.warmupRounds() + " rounds, seed " + settings.seed());
    } else if (round >= 0 && round % SAY_EVERY == 0) {
      progress("round " + round + " of " + settings.rounds());
    }
  }

  private void progress(String line) {
    context.err().println("bench cr: " + line);
    context.err().flush();
  }

  private void round(Live live, int round, Count count) throws IOException {
    Known made = checkpoint(live, count);
    lineage.add(made);
    live.workload().dirty(settings);
    rollback(live, made, count == Count.YES ? rollbacks : null);
    if (lineage.size() > BACK && round % BACK_EVERY == 0) {
      live.workload().dirty(settings);
      Known far = lineage.get(lineage.size() - 1 - BACK);
      rollback(live, far, count == Count.YES ? rollbacksFar : null);
      rollback(live, made, null);
    }
    if (count == Count.YES && round % BACK_EVERY == 1) {
      live.workload().dirty(settings);
      LockSupport.parkNanos(made.snapshot().stats().callNanos());
      undisturbed.add(live.workload().gap().nanos());
      rollback(live, made, null);
    }
    if (lineage.size() > KEPT) {
      live.sandbox().remove(lineage.remove(0).snapshot().id().toString());
    }
  }

  private Known checkpoint(Live live, Count count) throws IOException {
    Snapshot snapshot =
        again(
            () -> {
              live.workload().dirty(settings);
              return live.sandbox().checkpoint();
            });
    long seen = live.workload().gap().nanos();
    if (count == Count.YES) {
      checkpoints.add(
          snapshot.stats().pauseNanos(),
          snapshot.stats().callNanos(),
          seen,
          snapshot.stats().phaseNanos());
    }
    return new Known(snapshot, live.workload().digest(settings));
  }

  private void rollback(
      Live live, Known target, @org.jspecify.annotations.Nullable Measured measured)
      throws IOException {
    RollbackResult result = again(() -> live.sandbox().rollback(target.snapshot()));
    long seen = live.workload().gap().end() - live.witness().lastLook();
    if (measured != null) {
      measured.add(result.pauseNanos(), result.callNanos(), seen, result.phaseNanos());
    }
    String digest = live.workload().digest(settings);
    if (!digest.equals(target.digest())) {
      throw new IOException(
          "rollback is not exact by the program's digest of memory and files: snapshot="
              + target.snapshot().id().brief()
              + " expected="
              + target.digest()
              + " found="
              + digest
              + " seed="
              + settings.seed());
    }
    verified++;
  }

  /** A checkpoint or a rollback. */
  private interface Operation<T> {
    T run() throws IOException;
  }

  /**
   * Tries again when a thread did not get a processor before the deadline of the stop: on a busy
   * machine that says nothing of the operation. Such tries are counted and shown.
   */
  private <T> T again(Operation<T> operation) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        return operation.run();
      } catch (CaptureException e) {
        if (attempt == LATE_MAX || !String.valueOf(e.getMessage()).contains(LATE)) {
          throw e;
        }
        late++;
        progress("a thread did not stop in time, once more");
      }
    }
  }

  /**
   * Whatever the digest cannot see - registers, regions, descriptors - the independent reader does.
   */
  private void checked(Live live) throws IOException {
    if (settings.checkedRounds() == 0) {
      return;
    }
    progress(settings.checkedRounds() + " rounds under the independent check, not timed");
    live.sandbox().checking(true);
    for (int i = 0; i < settings.checkedRounds(); i++) {
      Known made = checkpoint(live, Count.NO);
      live.workload().dirty(settings);
      rollback(live, made, null);
    }
    live.sandbox().checking(false);
  }

  private Map<String, Object> report(double loadBefore, Samples reference) throws IOException {
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("bench", "cr");
    report.put("settings", settings.describe());
    report.put("checkpoint", checkpoints.describe());
    report.put("rollback", rollbacks.describe());
    if (rollbacksFar.count() > 0) {
      report.put("rollback20", rollbacksFar.describe());
    }
    Map<String, Object> phases = new LinkedHashMap<>();
    phases.put("checkpoint", checkpoints.phases());
    phases.put("rollback", rollbacks.phases());
    if (rollbacksFar.count() > 0) {
      phases.put("rollback20", rollbacksFar.phases());
    }
    report.put("phases", phases);
    report.put("seen_baseline_ms", undisturbed.describe());
    report.put("reference_ms", reference.percentile(50));
    report.put("verified_rollbacks", verified);
    report.put("stops_over_deadline_tried_again", late);
    report.put("peers", Map.of("criu", Peer.criu()));
    Map<String, Object> machine = new LinkedHashMap<>(Machine.describe());
    machine.put("load_before", loadBefore);
    machine.put("load_after", Machine.load());
    report.put("machine", machine);
    return report;
  }
}
