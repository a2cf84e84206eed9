package io.deltabox.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.RollbackResult;
import io.deltabox.Sandbox;
import io.deltabox.SandboxException;
import io.deltabox.Snapshot;
import io.deltabox.capture.CaptureException;
import io.deltabox.capture.UnsupportedException;
import io.deltabox.check.CheckFailedException;
import io.deltabox.check.Difference;
import io.deltabox.linux.OptionalFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Programs that never rest are saved at random moments and put back to random snapshots, back,
 * forward on another branch, and again; the independent reader compares everything each time.
 */
final class ExactnessTest {
  private static final int CHECKPOINTS = Settings.count(30, 300);
  private static final int ROLLBACKS = Settings.count(20, 200);
  private static final int RESTORES = Settings.count(3, 25);

  /** All that makes a tree what it is, is made again in a restore. */
  private static final int RESTORES_OF_TREE = Settings.count(3, 100);

  private static final int RUN_MILLIS_MAX = 40;
  private static final int FAILURES_MAX = 3;
  private static final int CHECKPOINT_TRIES_MAX = 20;
  private static final int SNAPSHOTS_MAX = 60;
  private static final long SEED = Settings.seed("exactness");

  private static TestBox box;

  @BeforeAll
  static void open() throws IOException {
    box = TestBox.open();
  }

  @AfterAll
  static void close() throws IOException {
    if (box != null) {
      box.close();
    }
  }

  static Stream<String> programs() {
    String only = System.getProperty("deltabox.program", "");
    return Program.all(Path.of("/"), SEED).stream()
        .map(Program::name)
        .filter(name -> only.isEmpty() || name.matches(only));
  }

  @ParameterizedTest
  @MethodSource("programs")
  void rollback_toRandomSnapshots_bringsEverythingBack(String name) throws Exception {
    Program program = Program.named(name, box.probes(), SEED);
    Unavailable.require(
        program.file() == null || Files.exists(Path.of(program.file())),
        "program " + program.file());
    run(box, program, name);
  }

  /** The same with nothing that some supported kernel or user lacks. */
  @Test
  void rollback_withoutOptionalFeatures_bringsEverythingBack() throws Exception {
    try (TestBox bare = TestBox.open(Set.of(OptionalFeature.values()))) {
      run(bare, Program.named("memory-tree", bare.probes(), SEED), "without-features");
    }
  }

  private static void run(TestBox where, Program program, String label) throws Exception {
    try (Sandbox sandbox = where.createChecked(program.basePaths());
        Talk talk = TestBox.start(sandbox, program.spec())) {
      Run run = new Run(where, sandbox, talk, program, Settings.random(SEED, label));
      run.run();
      System.out.println("EXACT " + label + " " + run.summary());
      assertThat(run.failures).as("differences found by the independent reader").isEmpty();
      assertThat(run.rollbacks).isEqualTo(ROLLBACKS);
    }
  }

  /** One program's life over a branching lineage. */
  private static final class Run {
    private final TestBox where;
    private final Sandbox sandbox;
    private final Talk talk;
    private final Program program;
    private final Random random;
    private final List<Snapshot> snapshots = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();
    private int checkpoints;
    private int rollbacks;
    private int refused;
    private int notYet;
    private int restored;
    private String lastRefusal = "";
    private long processesMade;
    private long pages;
    private long checkpointNanos;
    private long rollbackNanos;

    Run(TestBox where, Sandbox sandbox, Talk talk, Program program, Random random) {
      this.where = where;
      this.sandbox = sandbox;
      this.talk = talk;
      this.program = program;
      this.random = random;
    }

    void run() throws Exception {
      for (int i = 0; i < CHECKPOINTS && failures.size() < FAILURES_MAX; i++) {
        pass();
        Checkpoints.Timed<Snapshot> made = checkpoint(sandbox);
        snapshots.add(made.value());
        forgetSome();
        checkpoints++;
        checkpointNanos += made.nanos();
        pages += made.value().stats().pageCount();
        int left = CHECKPOINTS - i;
        if (random.nextInt(left) < ROLLBACKS - rollbacks) {
          pass();
          rollBack();
        }
      }
      // In a new sandbox, names given to files of the base are not one file with them yet.
      int restores = program.basePaths().isEmpty() ? restores() : 0;
      for (int i = 0; i < restores && failures.size() < FAILURES_MAX; i++) {
        restore(random.nextInt(snapshots.size()));
      }
    }

    private int restores() {
      return program.name().equals("tree") ? RESTORES_OF_TREE : RESTORES;
    }

    /** The same snapshot in an empty sandbox, which then lives a little itself. */
    private void restore(int target) throws Exception {
      try (Sandbox made = where.box().restore(snapshots.get(target), null)) {
        restored++;
        pass();
        Snapshot later = checkpoint(made).value();
        pass();
        Checkpoints.rollback(made, later);
        pass();
        Checkpoints.rollback(made, snapshots.get(target));
      } catch (CheckFailedException e) {
        fail("restore of " + target + " of " + snapshots.size(), e);
      } catch (SandboxException e) {
        if (!(e.getCause() instanceof CheckFailedException differs)) {
          throw e;
        }
        fail("restore of " + target + " of " + snapshots.size(), differs);
      }
    }

    /** What a program is only sometimes in the middle of is refused by name: it is tried again. */
    private Checkpoints.Timed<Snapshot> checkpoint(Sandbox of) throws IOException {
      for (int tries = 1; ; tries++) {
        try {
          return Checkpoints.checkpoint(of);
        } catch (UnsupportedException e) {
          if (tries == CHECKPOINT_TRIES_MAX) {
            throw e;
          }
          notYet++;
          lastRefusal = String.valueOf(e.getMessage());
          pass();
        }
      }
    }

    /** As many as fit into memory; what the others share with one that goes must stay. */
    private void forgetSome() throws IOException {
      if (snapshots.size() > SNAPSHOTS_MAX) {
        Snapshot old = snapshots.remove(random.nextInt(snapshots.size() / 2));
        sandbox.remove(old.id().toString());
      }
    }

    /** Lets the program run for a random time. */
    private void pass() {
      LockSupport.parkNanos(random.nextInt(RUN_MILLIS_MAX * 1000) * 1000L);
    }

    private void rollBack() throws Exception {
      int recent = Math.max(0, snapshots.size() - 4);
      int target =
          random.nextBoolean()
              ? random.nextInt(snapshots.size())
              : recent + random.nextInt(snapshots.size() - recent);
      // What cannot be made again is refused; a later snapshot may do.
      while (!rollBackTo(target)) {
        refused++;
        target = target + 1 < snapshots.size() ? target + 1 : 0;
        assertThat(refused)
            .as("refused: %s, now %s, errors %s", lastRefusal, sandbox.processes(), talk.errors())
            .isLessThan(20 * ROLLBACKS);
      }
      rollbacks++;
      assertThat(talk.exec().status().ended())
          .as("%s ended: %s %s", program, talk.exec().status(), talk.errors())
          .isFalse();
      if (program.question() != null && rollbacks % 5 == 0) {
        assertThat(talk.ask(program.question())).isEqualTo("ok");
      } else {
        assertThat(talk.overheard()).isNull();
      }
    }

    /** False if the sandbox refused and runs on as it was. */
    private boolean rollBackTo(int target) throws Exception {
      try {
        Checkpoints.Timed<RollbackResult> result =
            Checkpoints.rollback(sandbox, snapshots.get(target));
        rollbackNanos += result.nanos();
        processesMade += result.value().processesMade();
      } catch (CheckFailedException e) {
        fail("rollback " + rollbacks + " to " + target + " of " + snapshots.size(), e);
      } catch (CaptureException e) {
        if (!sandbox.running()) {
          throw e;
        }
        lastRefusal = String.valueOf(e.getMessage());
        return false;
      }
      return true;
    }

    private void fail(String where, CheckFailedException e) {
      List<Difference> differences = e.differences();
      String text = where + ": " + differences.size() + " differences";
      System.out.println("DIFFERENT " + program + " " + text);
      differences.stream().limit(30).forEach(d -> System.out.println("  " + d));
      failures.add(text);
    }

    String summary() {
      return "checkpoints="
          + checkpoints
          + " rollbacks="
          + rollbacks
          + " refused="
          + refused
          + " not_yet="
          + notYet
          + " restored="
          + restored
          + " differences="
          + failures.size()
          + " processes_made="
          + processesMade
          + " pages="
          + pages
          + " checkpoint_us="
          + checkpointNanos / 1000 / Math.max(1, checkpoints)
          + " rollback_us="
          + rollbackNanos / 1000 / Math.max(1, rollbacks)
          + (lastRefusal.isEmpty() ? "" : " last_refusal=\"" + lastRefusal + "\"");
    }
  }
}
