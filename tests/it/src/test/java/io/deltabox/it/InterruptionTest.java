package io.deltabox.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.ExecSpec;
import io.deltabox.ExecStatus;
import io.deltabox.Sandbox;
import io.deltabox.Snapshot;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a program must not notice of being stopped: broken system calls, lost state, late ends. */
final class InterruptionTest {
  private static final int CHECKPOINTS = Settings.count(100, 300);
  private static final Duration END_MAX = Duration.ofSeconds(60);

  private TestBox box;

  @BeforeEach
  void open() throws IOException {
    box = TestBox.open();
  }

  @AfterEach
  void close() throws IOException {
    if (box != null) {
      box.close();
    }
  }

  @Test
  void checkpoint_whileCallsBlock_noneIsInterrupted() throws Exception {
    try (Sandbox sandbox = box.create();
        Talk talk = TestBox.start(sandbox, ExecSpec.of(box.probes() + "/eintr", "/tmp"))) {
      for (int i = 0; i < CHECKPOINTS; i++) {
        Checkpoints.checkpoint(sandbox);
        LockSupport.parkNanos(3_000_000);
      }
      assertThat(endings(talk)).hasSize(42).allMatch(line -> line.startsWith("ok "));
    }
  }

  @Test
  void rollback_whileCallsBlock_noneIsInterrupted() throws Exception {
    try (Sandbox sandbox = box.create();
        Talk talk = TestBox.start(sandbox, ExecSpec.of(box.probes() + "/eintr", "/tmp"))) {
      Snapshot first = Checkpoints.checkpoint(sandbox).value();
      LockSupport.parkNanos(30_000_000);
      Snapshot second = Checkpoints.checkpoint(sandbox).value();
      for (int i = 0; i < CHECKPOINTS / 5; i++) {
        Checkpoints.rollback(sandbox, i % 2 == 0 ? first : second);
        LockSupport.parkNanos(5_000_000);
      }
      // Times that had begun before start anew, so only interruptions count here.
      assertThat(endings(talk)).hasSize(42).noneMatch(line -> line.matches(".*EINTR [1-9].*"));
    }
  }

  private static List<String> endings(Talk talk) throws IOException, InterruptedException {
    List<String> lines = new ArrayList<>();
    talk.say("end");
    for (String line = talk.hear(); !line.equals("end"); line = talk.hear()) {
      lines.add(line);
      if (!line.startsWith("ok ")) {
        System.out.println("  " + line);
      }
    }
    return lines;
  }

  @ParameterizedTest
  @ValueSource(strings = {"state", "descriptors"})
  void rollback_afterKernelStateChanged_givesItBack(String probe) throws Exception {
    try (Sandbox sandbox = box.createChecked();
        Talk talk = TestBox.start(sandbox, ExecSpec.of(box.probes() + "/" + probe))) {
      assertThat(check(talk)).containsExactly("end ok");
      Snapshot snapshot = Checkpoints.checkpoint(sandbox).value();
      for (int i = 0; i < 3; i++) {
        assertThat(talk.ask("disturb")).isEqualTo("disturbed");
        assertThat(check(talk)).hasSizeGreaterThan(5);
        Checkpoints.rollback(sandbox, snapshot);
        assertThat(check(talk)).containsExactly("end ok");
        Checkpoints.rollback(sandbox, snapshot);
      }
    }
  }

  private static List<String> check(Talk talk) throws IOException, InterruptedException {
    List<String> lines = new ArrayList<>();
    talk.say("check");
    do {
      lines.add(talk.hear());
    } while (!lines.get(lines.size() - 1).startsWith("end"));
    return lines;
  }

  @Test
  void checkpoint_justBeforePipelineEnds_readerSeesTheEnd() throws Exception {
    try (Sandbox sandbox = box.create();
        Talk talk =
            TestBox.start(
                sandbox, ExecSpec.of("/bin/bash", "-c", "echo ready; cat | (cat; echo ended)"))) {
      Snapshot snapshot = Checkpoints.checkpoint(sandbox).value();
      assertThat(talk.ask("through")).isEqualTo("through");
      Checkpoints.rollback(sandbox, snapshot);
      assertThat(talk.ask("again")).isEqualTo("again");
      Checkpoints.checkpoint(sandbox);
      talk.exec().stdin().close();
      assertThat(talk.hear()).isEqualTo("ended");
      Optional<ExecStatus> end = talk.end(END_MAX);
      assertThat(end).hasValue(new ExecStatus(ExecStatus.Outcome.EXITED, 0));
    }
  }
}
