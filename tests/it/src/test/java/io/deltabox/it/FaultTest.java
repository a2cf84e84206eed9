package io.deltabox.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.Sandbox;
import io.deltabox.SandboxClosedException;
import io.deltabox.Snapshot;
import io.deltabox.Undo;
import io.deltabox.capture.CaptureException;
import io.deltabox.capture.CapturePhase;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A fault in each phase of both operations: the sandbox is as before and nothing is forgotten, or
 * it is whole at the target, built anew; never something in between.
 */
final class FaultTest {
  private static final String FAULT = "fault put in by a test";
  private static final long END_NANOS = 60_000_000_000L;
  private static final long SEED = Settings.seed("faults");

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

  /** Throws on entering one phase, some times, and counts that it was reached. */
  private record Fault(CapturePhase at, int times, AtomicInteger hits)
      implements CapturePhase.Hook {
    Fault(CapturePhase at, int times) {
      this(at, times, new AtomicInteger());
    }

    @Override
    public void enter(CapturePhase phase) throws CaptureException {
      if (phase == at && hits.get() < times) {
        hits.incrementAndGet();
        throw new CaptureException(FAULT + ": phase=" + phase);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void fault_inPhase_leavesBeforeOrTarget(CapturePhase phase) throws Exception {
    Program program = Program.named("memory-single", box.probes(), SEED);
    try (Sandbox sandbox = box.createChecked();
        Talk talk = TestBox.start(sandbox, program.spec())) {
      Snapshot first = Checkpoints.checkpoint(sandbox).value();
      run();
      Snapshot second = Checkpoints.checkpoint(sandbox).value();
      run();
      Fault fault = new Fault(phase, 1);
      sandbox.onPhase(fault);
      boolean checkpoint = phase.name().startsWith("CHECKPOINT");
      // The first phase that edits has edited nothing yet when it is entered.
      if (phase.edits() && phase != CapturePhase.ROLLBACK_END) {
        String step = phase.name().substring("ROLLBACK_".length()).toLowerCase(Locale.ROOT);
        assertThat(sandbox.rollback(first.id().toString(), Undo.NONE).rebuiltBecause())
            .contains(FAULT)
            .endsWith("step=" + step);
      } else {
        assertThatThrownBy(
                () -> {
                  if (checkpoint) {
                    sandbox.checkpoint();
                  } else {
                    sandbox.rollback(first.id().toString(), Undo.NONE);
                  }
                })
            .isInstanceOf(CaptureException.class)
            .hasMessageContaining(FAULT);
      }
      sandbox.onPhase(CapturePhase.Hook.NONE);
      assertThat(fault.hits()).as("the fault was reached").hasValue(1);
      everythingIsKnown(sandbox, talk, first, second);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"ROLLBACK_FILES", "ROLLBACK_PAGES", "ROLLBACK_REARM"})
  void fault_alsoWhileBuildingAnew_endsAndSaysSo(CapturePhase phase) throws Exception {
    Program program = Program.named("memory-single", box.probes(), SEED);
    try (Sandbox sandbox = box.createChecked();
        Talk talk = TestBox.start(sandbox, program.spec())) {
      Snapshot first = Checkpoints.checkpoint(sandbox).value();
      run();
      Fault fault = new Fault(phase, 2);
      sandbox.onPhase(fault);
      assertThatThrownBy(() -> sandbox.rollback(first.id().toString(), Undo.NONE))
          .isInstanceOf(SandboxClosedException.class)
          .hasMessageContaining(FAULT);
      assertThat(fault.hits()).as("the fault was reached").hasValue(2);
      awaitEnd(sandbox);
      assertThat(talk.end(java.time.Duration.ofSeconds(10))).isPresent();
    }
  }

  private static void awaitEnd(Sandbox sandbox) {
    long deadline = System.nanoTime() + END_NANOS;
    while (sandbox.running() && System.nanoTime() < deadline) {
      LockSupport.parkNanos(1_000_000);
    }
    assertThat(sandbox.running()).as("ended").isFalse();
  }

  private static void run() {
    LockSupport.parkNanos(30_000_000);
  }

  /** The next checkpoint has forgotten nothing, and all snapshots can still be gone back to. */
  private static void everythingIsKnown(Sandbox sandbox, Talk talk, Snapshot first, Snapshot second)
      throws Exception {
    run();
    Snapshot next = Checkpoints.checkpoint(sandbox).value();
    run();
    for (Snapshot target : new Snapshot[] {next, first, second, next}) {
      Checkpoints.rollback(sandbox, target);
      run();
    }
    assertThat(talk.exec().status().ended()).as(talk.errors()).isFalse();
    assertThat(talk.overheard()).isNull();
  }
}
