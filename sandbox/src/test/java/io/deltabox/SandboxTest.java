package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands in a real sandbox. */
final class SandboxTest {
  @TempDir static Path directory;
  private static DeltaBox box;
  private static Sandbox sandbox;

  @BeforeAll
  static void open() throws Exception {
    box = TestBox.open(directory);
    sandbox = box.create(SandboxSpec.defaults());
  }

  @AfterAll
  static void close() {
    if (box != null) {
      box.close();
    }
  }

  @Test
  void exec_echo_returnsOutputAndCode() throws Exception {
    ExecResult result = sandbox.exec("echo", "hi");
    assertThat(result.stdout()).isEqualTo("hi\n");
    assertThat(result.stderr()).isEmpty();
    assertThat(result.status()).isEqualTo(new ExecStatus(ExecStatus.Outcome.EXITED, 0));
  }

  @Test
  void exec_createAndFirstCommandTwice_bothAnswer() throws Exception {
    for (int i = 0; i < 2; i++) {
      try (Sandbox other = box.create(SandboxSpec.defaults())) {
        assertThat(other.exec("hostname").stdout()).isEqualTo("sandbox\n");
      }
    }
  }
}
