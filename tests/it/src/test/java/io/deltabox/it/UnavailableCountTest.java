package io.deltabox.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.junit.jupiter.api.Test;

/** Runs after the other suites (by name) and compares what they missed with the recorded number. */
final class UnavailableCountTest {
  @Test
  void seen_afterAllSuites_isNotMoreThanRecorded() throws Exception {
    System.out.println("UNAVAILABLE count " + Unavailable.seen().size());
    boolean root = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
    Properties recorded = new Properties();
    try (InputStream in =
        UnavailableCountTest.class.getResourceAsStream("unavailable.properties")) {
      recorded.load(in);
    }
    assertThat(Unavailable.seen())
        .hasSizeLessThanOrEqualTo(Integer.parseInt(recorded.getProperty(root ? "root" : "user")));
  }
}
