package io.deltabox.capture.descriptors;

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A scenario of {@code scenarios.py}, started as a grandchild: the JDK waits for its own children,
 * which must not be traced. Its stdio are pipes whose outer ends are here, as those of a command.
 */
final class TestProgram implements AutoCloseable {
  private final int pid;
  private final OutputStream to;
  private final InputStream from;
  private final Path directory;

  private TestProgram(int pid, OutputStream to, InputStream from, Path directory) {
    this.pid = pid;
    this.to = to;
    this.from = from;
    this.directory = directory;
  }

  static TestProgram start(Kernel kernel, String scenario) throws IOException {
    Path directory = Files.createTempDirectory("deltabox-fds-");
    Path script = directory.resolve("scenarios.py");
    try (InputStream in = TestProgram.class.getResourceAsStream("scenarios.py")) {
      Files.copy(java.util.Objects.requireNonNull(in), script);
    }
    int[] input = kernel.pair("pipe", Calls.PIPE2, 0);
    int[] output = kernel.pair("pipe", Calls.PIPE2, 0);
    String mine = "/proc/" + ProcessHandle.current().pid() + "/fd/";
    String command =
        "cd \"$1\" && exec 3>&1 && setsid /usr/bin/python3 \"$2\" \"$3\" <"
            + mine
            + input[0]
            + " >"
            + mine
            + output[1]
            + " 2>\"$1/stderr\" 3>&- & echo $!";
    Process shell =
        new ProcessBuilder(
                "sh", "-c", command, "sh", directory.toString(), script.toString(), scenario)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    int pid;
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(shell.getInputStream(), StandardCharsets.UTF_8))) {
      pid = Integer.parseInt(reader.readLine());
    }
    OutputStream to = new FileOutputStream("/proc/self/fd/" + input[1]);
    InputStream from = new FileInputStream("/proc/self/fd/" + output[0]);
    for (int fd : List.of(input[1], output[0])) {
      kernel.closeQuietly(fd);
    }
    TestProgram program = new TestProgram(pid, to, from, directory);
    try {
      program.expect("ready");
    } finally {
      kernel.closeQuietly(input[0]);
      kernel.closeQuietly(output[1]);
    }
    return program;
  }

  /** Number of the scenario's first process. */
  int pid() {
    return pid;
  }

  Path directory() {
    return directory;
  }

  /** Sends a word and waits for the answer. */
  void ask(String word, String answer) throws IOException {
    to.write((word + "\n").getBytes(StandardCharsets.UTF_8));
    to.flush();
    expect(answer);
  }

  private void expect(String answer) throws IOException {
    StringBuilder line = new StringBuilder();
    int c;
    while ((c = from.read()) >= 0 && c != '\n') {
      line.append((char) c);
    }
    if (!answer.contentEquals(line)) {
      throw new AssertionError(
          "expected "
              + answer
              + " but the program said "
              + line
              + "\n"
              + Files.readString(directory.resolve("stderr")));
    }
  }

  @Override
  public void close() throws IOException {
    for (int one : TestTracer.tree(pid)) {
      ProcessHandle.of(one).ifPresent(ProcessHandle::destroyForcibly);
    }
    to.close();
    from.close();
    try (var files = Files.walk(directory)) {
      for (Path path : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}
