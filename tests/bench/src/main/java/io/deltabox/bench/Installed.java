package io.deltabox.bench;

import io.deltabox.Exec;
import io.deltabox.ExecSpec;
import io.deltabox.Sandbox;
import io.deltabox.probes.Probes;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** Measured programs as files of a sandbox. */
final class Installed {
  static final String DIRECTORY = "/tmp/bench";

  private Installed() {}

  /**
   * Puts a program of the probes into the sandbox.
   *
   * @return its path there
   */
  static String put(Sandbox sandbox, String name) throws IOException, InterruptedException {
    String path = DIRECTORY + "/" + name;
    Exec copy =
        sandbox.start(
            ExecSpec.of(
                "/bin/sh", "-c", "mkdir -p $0 && cat > $1 && chmod 755 $1", DIRECTORY, path));
    try (InputStream program = Probes.class.getResourceAsStream("/probes/" + name);
        OutputStream to = copy.stdin()) {
      if (program == null) {
        throw new IOException("the measured program is not in the jar: " + name);
      }
      program.transferTo(to);
    }
    int code = copy.waitFor().shellCode();
    if (code != 0) {
      throw new IOException("put the measured program into the sandbox failed: exit=" + code);
    }
    return path;
  }
}
