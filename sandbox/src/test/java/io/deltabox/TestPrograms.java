package io.deltabox;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** C programs of the tests: compiled on the host, copied into a sandbox. */
final class TestPrograms {
  private TestPrograms() {}

  static Path compile(String name, Path directory) throws IOException, InterruptedException {
    Path binary = directory.resolve(name);
    Process compiler =
        new ProcessBuilder(
                "gcc", "-std=gnu11", "-O1", "-o", binary.toString(), "src/test/c/" + name + ".c")
            .redirectErrorStream(true)
            .start();
    String messages = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (compiler.waitFor() != 0) {
      throw new IOException("compile failed: " + messages);
    }
    return binary;
  }

  static void copyIn(Sandbox sandbox, Path file, String target)
      throws IOException, InterruptedException {
    Exec exec = sandbox.start(ExecSpec.of("sh", "-c", "cat > \"$0\" && chmod 755 \"$0\"", target));
    try (OutputStream in = exec.stdin()) {
      Files.copy(file, in);
    }
    if (exec.waitFor().code() != 0) {
      throw new IOException("copy into sandbox failed: " + target);
    }
  }
}
