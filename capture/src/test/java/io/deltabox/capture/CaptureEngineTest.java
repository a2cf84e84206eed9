package io.deltabox.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CaptureEngineTest {
  @TempDir Path directory;

  @Test
  void rollback_pythonWithThreadsMutated_isAsBefore() throws Exception {
    try (PidNamespace space =
            new PidNamespace(directory, "/usr/bin/python3", "-c", program(), "20000");
        Keeper keeper = Keeper.open(2L << 30);
        CaptureEngine engine = CaptureEngine.open(space.target(), keeper)) {
      assertThat(space.line()).isEqualTo("ready");
      String first = space.ask("digest");
      UUID a = engine.checkpoint(UUID.randomUUID()).id();
      String second = space.ask("mutate 5");
      space.ask("thread");
      CheckpointReport report = engine.checkpoint(UUID.randomUUID());
      UUID b = report.id();
      assertThat(report.threads()).isEqualTo(5);
      for (int i = 0; i < 10; i++) {
        engine.rollback(a);
        assertThat(space.ask("digest")).isEqualTo(first);
        assertThat(space.ask("threads")).isEqualTo("4");
        RollbackReport back = engine.rollback(b);
        assertThat(back.threadsMade()).isEqualTo(1);
        assertThat(space.ask("digest")).isEqualTo(second);
        assertThat(space.ask("threads")).isEqualTo("5");
        space.ask("mutate " + i);
        engine.checkpoint(UUID.randomUUID());
      }
      long count = Long.parseLong(space.ask("count"));
      while (Long.parseLong(space.ask("count")) == count) {
        Thread.onSpinWait();
      }
    }
  }

  private static String program() throws Exception {
    try (var in = CaptureEngineTest.class.getResourceAsStream("workload.py")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
