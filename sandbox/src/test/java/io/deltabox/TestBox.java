package io.deltabox;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;

/** A box for tests that need real sandboxes. */
final class TestBox {
  private TestBox() {}

  /** Skips the test, visibly, where sandboxes cannot be made. */
  static DeltaBox open(Path directory) throws IOException {
    boolean root = SandboxFunctions.get().dbx_sandbox_uid() == 0;
    if (!root) {
      System.out.println("UNAVAILABLE: sandboxes (needs root)");
    }
    assumeTrue(root, "needs root");
    return DeltaBox.open(DeltaBoxConfig.of(directory));
  }
}
