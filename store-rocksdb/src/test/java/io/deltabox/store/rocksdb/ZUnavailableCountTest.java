package io.deltabox.store.rocksdb;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Runs after the other suites (by name). */
final class ZUnavailableCountTest {
  /** Loop devices, which containers do not give. */
  private static final int ROOT = 1;

  /** Those, and mounts. */
  private static final int USER = 2;

  @Test
  void seen_afterAllSuites_isNotMoreThanRecorded() throws Exception {
    System.out.println("UNAVAILABLE count " + Unavailable.seen().size());
    boolean root = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
    assertThat(Unavailable.seen()).hasSizeLessThanOrEqualTo(root ? ROOT : USER);
  }
}
