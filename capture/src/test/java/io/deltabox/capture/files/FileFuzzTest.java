package io.deltabox.capture.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Random checkpoints and rollbacks under living processes: no difference is allowed. */
@Tag("fuzz")
class FileFuzzTest {
  /** A tenth of the full figures in the default build. */
  private static final int SEEDS = Boolean.getBoolean("deltabox.long") ? 30 : 3;

  private static final int CHECKPOINTS = 25;

  @Test
  void rollback_livingProcesses_equalsIndependentWalk() throws IOException, InterruptedException {
    assumeTrue(TestFiles.available());
    long first = Long.getLong("deltabox.seed", System.nanoTime() % 1_000_000);
    for (long seed = first; seed < first + SEEDS; seed++) {
      FileFuzz.Result result = new FileFuzz(seed).run(CHECKPOINTS);
      System.out.println(FileFuzz.summary(result));
      assertThat(result.differences()).as("seed " + seed).isEmpty();
    }
  }
}
