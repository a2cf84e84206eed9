package io.deltabox.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.ExecSpec;
import io.deltabox.Sandbox;
import io.deltabox.Snapshot;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Changes of an address space that following written pages alone would miss. */
@Timeout(240)
final class RegionChangeTest {
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

  /**
   * A region grows between the look at the regions and the look at their pages, or a part of it is
   * mapped anew between the steps by which it comes to be tracked.
   */
  @ParameterizedTest
  @CsvSource({"grow,wipe,grown?", "remap,forget,remapped?"})
  void prepare_whileRegionsChange_missesNoPage(String change, String undo, String check)
      throws Exception {
    try (Sandbox sandbox = box.createChecked();
        Talk talk = TestBox.start(sandbox, ExecSpec.of(box.probes() + "/regions"))) {
      sandbox.prepare();
      talk.say(change);
      String answer = null;
      while (answer == null) {
        sandbox.prepare();
        answer = talk.overheard();
      }
      assertThat(answer).isEqualTo("done");
      Snapshot snapshot = Checkpoints.checkpoint(sandbox).value();
      assertThat(talk.ask(undo)).isEqualTo("done");
      Checkpoints.rollback(sandbox, snapshot);
      assertThat(talk.ask(check)).isEqualTo("ok");
    }
  }

  /** Random number generators live there: what they said once they must not say again. */
  @ParameterizedTest
  @ValueSource(strings = {"keep-loosely", "let-go"})
  void rollback_overDroppablePages_leavesThemEmpty(String since) throws Exception {
    try (Sandbox sandbox = box.createChecked();
        Talk talk = TestBox.start(sandbox, ExecSpec.of(box.probes() + "/regions"))) {
      assertThat(talk.ask("keep-loosely")).isEqualTo("done");
      Snapshot snapshot = Checkpoints.checkpoint(sandbox).value();
      assertThat(talk.ask(since)).isEqualTo("done");
      for (int i = 0; i < 2; i++) {
        Checkpoints.rollback(sandbox, snapshot);
        assertThat(talk.ask("loose?")).isEqualTo("ok");
      }
    }
  }

  /** Whole page tables go, and nothing is left to carry a mark. */
  @ParameterizedTest
  @CsvSource({"fill,drop", "fill-huge,drop", "fill,move-off", "fill,take-in"})
  void rollback_overPageTablesGone_bringsBothBack(String fill, String empty) throws Exception {
    try (Sandbox sandbox = box.createChecked();
        Talk talk = TestBox.start(sandbox, ExecSpec.of(box.probes() + "/regions"))) {
      assertThat(talk.ask(fill)).isEqualTo("done");
      Snapshot filled = Checkpoints.checkpoint(sandbox).value();
      assertThat(talk.ask(empty)).isEqualTo("done");
      Snapshot emptied = Checkpoints.checkpoint(sandbox).value();
      Checkpoints.rollback(sandbox, filled);
      assertThat(talk.ask("filled?")).isEqualTo("ok");
      assertThat(talk.ask(empty)).isEqualTo("done");
      Checkpoints.rollback(sandbox, filled);
      assertThat(talk.ask("filled?")).isEqualTo("ok");
      Checkpoints.rollback(sandbox, emptied);
      assertThat(talk.ask("empty?")).isEqualTo("ok");
    }
  }
}
