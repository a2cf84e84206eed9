package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The programs of the descriptors' own test, in a real sandbox: memory and files go back with the
 * descriptors, twice, and the independent reader compares.
 */
@Timeout(240)
final class DescriptorRollbackTest {
  private static final Path SCENARIOS =
      Path.of("../capture/src/test/resources/io/deltabox/capture/descriptors/scenarios.py");

  @TempDir static Path directory;
  private static DeltaBox box;

  @BeforeAll
  static void open() throws IOException {
    box = TestBox.open(directory);
  }

  @AfterAll
  static void close() {
    if (box != null) {
      box.close();
    }
  }

  private static final int ROOT = 0;
  private static final int ORDINARY = 1000;

  /** Refused at the checkpoint. */
  private static final Set<String> REFUSED = Set.of("unsupported", "refused");

  static Stream<String> scenarios() throws IOException {
    return Files.readAllLines(SCENARIOS).stream()
        .filter(
            line -> line.startsWith("class ") && line.endsWith(":") && !line.contains("refused"))
        .map(line -> line.substring(6).replaceAll("\\W.*", ""))
        .filter(name -> !REFUSED.contains(name));
  }

  @ParameterizedTest
  @MethodSource("scenarios")
  void rollback_programWithDescriptors_goesOnAsBefore(String scenario) throws Exception {
    run(scenario, ROOT);
  }

  /** What is done inside a process is done with its rights. */
  @ParameterizedTest
  @ValueSource(
      strings = {"reopened", "pipe_gone", "unix_listening", "tcp_gone", "inotify_gone", "locks"})
  void rollback_programOfOrdinaryUser_goesOnAsBefore(String scenario) throws Exception {
    run(scenario, ORDINARY);
  }

  private static void run(String scenario, int user) throws Exception {
    try (Sandbox sandbox = box.create(SandboxSpec.defaults())) {
      sandbox.checking(true);
      Exec exec = sandbox.start(spec(scenario, user));
      try (BufferedReader out =
          new BufferedReader(new InputStreamReader(exec.stdout(), StandardCharsets.UTF_8))) {
        assertThat(out.readLine()).isEqualTo("ready");
        Snapshot snapshot = sandbox.checkpoint();
        for (int round = 0; round < 2; round++) {
          assertThat(ask(exec, out, "disturb")).isEqualTo("disturbed");
          sandbox.rollback(snapshot);
          assertThat(ask(exec, out, "check")).isEqualTo("ok");
          sandbox.rollback(snapshot);
        }
      }
    }
  }

  private static ExecSpec spec(String scenario, int user) throws IOException {
    List<String> argv = List.of("/usr/bin/python3", "-c", Files.readString(SCENARIOS), scenario);
    return ExecSpec.builder(argv).user(user, user).cwd("/tmp").stdin(ExecSpec.Stdin.PIPE).build();
  }

  private static String ask(Exec exec, BufferedReader out, String word) throws IOException {
    exec.stdin().write((word + "\n").getBytes(StandardCharsets.UTF_8));
    exec.stdin().flush();
    return out.readLine();
  }
}
