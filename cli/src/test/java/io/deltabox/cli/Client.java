package io.deltabox.cli;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.deltabox.linux.NativeLibrary;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The real client with a data root of its own; closing it stops the daemon. */
final class Client implements AutoCloseable {
  static final long SECONDS_MAX = 120;

  private final Path home;
  private final Path program;
  private final Path data;
  private final Map<String, String> environment;

  /** What one command did. */
  static final class Answer {
    private final int code;
    private final byte[] out;
    private final String err;

    private Answer(int code, byte[] out, String err) {
      this.code = code;
      this.out = out;
      this.err = err;
    }

    int code() {
      return code;
    }

    byte[] out() {
      return out.clone();
    }

    String err() {
      return err;
    }

    String text() {
      return new String(out, StandardCharsets.UTF_8);
    }

    JsonNode json() throws IOException {
      return new ObjectMapper().readTree(out);
    }
  }

  Client() throws IOException {
    this(Map.of());
  }

  /**
   * @param environment added to that of every command, and so to that of its daemon
   */
  Client(Map<String, String> environment) throws IOException {
    this.environment = Map.copyOf(environment);
    Path shm = Path.of("/dev/shm");
    home =
        Files.isWritable(shm)
            ? Files.createTempDirectory(shm, "command-test-")
            : Files.createTempDirectory("command-test-");
    program = NativeLibrary.unpackProgram("deltabox-client", home);
    data = home.resolve("data");
  }

  Path data() {
    return data;
  }

  /** Skips the test where sandboxes cannot run. */
  void requireSandboxes() throws IOException, InterruptedException {
    Answer answer = run("run", "--name", "first");
    if (answer.code() == ExitCodes.UNAVAILABLE) {
      System.out.println("UNAVAILABLE: sandboxes: " + answer.err().strip());
    }
    assumeTrue(answer.code() != ExitCodes.UNAVAILABLE, answer.err());
    if (answer.code() != ExitCodes.OK) {
      throw new IOException("first sandbox failed: " + answer.err());
    }
  }

  Answer run(String... arguments) throws IOException, InterruptedException {
    return run(new byte[0], arguments);
  }

  Answer run(byte[] input, String... arguments) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of("--data", data.toString()));
    words.addAll(List.of(arguments));
    return runPlain(input, words);
  }

  /** Without a data root on the command line. */
  Answer runPlain(byte[] input, List<String> arguments) throws IOException, InterruptedException {
    Path out = Files.createTempFile(home, "out", "");
    Path err = Files.createTempFile(home, "err", "");
    Process process =
        builder(arguments).redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    try (OutputStream to = process.getOutputStream()) {
      to.write(input);
    } catch (IOException e) {
      // The command need not read its input.
    }
    await(process);
    Answer answer = new Answer(process.exitValue(), Files.readAllBytes(out), Files.readString(err));
    Files.delete(out);
    Files.delete(err);
    return answer;
  }

  /** Starts a command and goes on; its output is thrown away. */
  Process start(String... arguments) throws IOException {
    List<String> words = new ArrayList<>(List.of("--data", data.toString()));
    words.addAll(List.of(arguments));
    return builder(words)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private ProcessBuilder builder(List<String> arguments) {
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("DELTABOX_CLASSPATH", System.getProperty("java.class.path"));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().remove("DELTABOX_DATA");
    builder.environment().putAll(environment);
    return builder;
  }

  static void await(Process process) throws InterruptedException {
    if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("command does not end: pid=" + process.pid());
    }
  }

  /** Number of the daemon's process. */
  long daemon() throws IOException, InterruptedException {
    return run("daemon", "status", "--json").json().get("pid").asLong();
  }

  /** Directory of the daemon's sockets. */
  Path sockets() throws IOException, InterruptedException {
    String socket = run("daemon", "status", "--json").json().get("socket").asText();
    return Objects.requireNonNull(Path.of(socket).getParent());
  }

  @Override
  public void close() throws IOException {
    try {
      run("daemon", "stop");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted before the daemon was stopped", e);
    }
    List<Path> all;
    try (Stream<Path> walk = Files.walk(home)) {
      all = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : all) {
      Files.delete(path);
    }
  }
}
