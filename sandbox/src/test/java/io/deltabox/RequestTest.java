package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Bad input: one line that names the thing and the way out, and nothing changed. */
@Timeout(240)
final class RequestTest {
  @TempDir static Path directory;
  private static DeltaBox box;
  private static Sandbox sandbox;

  @BeforeAll
  static void open() throws Exception {
    box = TestBox.open(directory);
    sandbox = box.create(SandboxSpec.builder().name("known").build());
  }

  @AfterAll
  static void close() {
    if (box != null) {
      box.close();
    }
  }

  private static void refused(
      Class<? extends Exception> kind, ThrowingCallable call, String... parts) {
    assertThatThrownBy(call)
        .isInstanceOf(kind)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts).doesNotContain("\n"));
  }

  private static void refusedSpec(SandboxSpec.Builder spec, String... parts) {
    int before = box.sandboxes().size();
    refused(InvalidRequestException.class, () -> box.create(spec.build()), parts);
    assertThat(box.sandboxes()).hasSize(before);
  }

  private static void refusedExec(ExecSpec.Builder spec, String... parts) {
    refused(InvalidRequestException.class, () -> sandbox.start(spec.build()), parts);
  }

  private static StartException.Reason reasonOf(ExecSpec.Builder spec, String... parts) {
    StartException[] found = new StartException[1];
    assertThatThrownBy(() -> sandbox.start(spec.build()))
        .isInstanceOfSatisfying(StartException.class, e -> found[0] = e);
    assertThat(found[0].getMessage()).contains(parts).doesNotContain("\n");
    return found[0].reason();
  }

  @Test
  void create_badValues_namesThem() {
    refusedSpec(SandboxSpec.builder().memoryBytesMax(0), "memory limit", "found=0");
    refusedSpec(SandboxSpec.builder().processesMax(0), "processes", "found=0");
    refusedSpec(SandboxSpec.builder().upperBytesMax(0), "limit of files", "found=0");
    refusedSpec(SandboxSpec.builder().cpus(0), "processor limit", "found=0.0");
    refusedSpec(SandboxSpec.builder().cpus(Double.NaN), "processor limit", "NaN");
    refusedSpec(SandboxSpec.builder().name("a/b"), "'a/b'");
    refusedSpec(SandboxSpec.builder().name("a\0b"), "\\x00");
    refusedSpec(SandboxSpec.builder().name(""), "name");
    refusedSpec(SandboxSpec.builder().name("known"), "in use", "known");
    refusedSpec(SandboxSpec.builder().hostname("a b"), "host name", "'a b'");
    refusedSpec(SandboxSpec.builder().env("A=B", "c"), "'A=B'");
    refusedSpec(SandboxSpec.builder().env("A", "c\0"), "'A'", "NUL");
    refusedSpec(SandboxSpec.builder().expose("/no/such/place"), "/no/such/place");
    refusedSpec(SandboxSpec.builder().expose("relative"), "'relative'");
    refusedSpec(SandboxSpec.builder().expose("/"), "'/'");
    refusedSpec(SandboxSpec.builder().expose("/proc/1"), "/proc");
    refusedSpec(SandboxSpec.builder().expose("/dev/shm"), "/dev");
  }

  @Test
  void start_badValues_namesThem() {
    refusedExec(ExecSpec.builder(List.of()), "no command");
    refusedExec(ExecSpec.builder(""), "empty");
    refusedExec(ExecSpec.builder("echo", "a\0b"), "NUL", "a\\x00b");
    refusedExec(ExecSpec.builder("true").cwd("relative"), "absolute", "'relative'");
    refusedExec(ExecSpec.builder("true").cwd("/a\0b"), "NUL");
    refusedExec(ExecSpec.builder("true").user(-1, 0), "uid", "found=-1");
    refusedExec(ExecSpec.builder("true").user(0, 70000), "gid", "found=70000");
    refusedExec(ExecSpec.builder("true").timeout(Duration.ZERO), "time-out");
    refusedExec(ExecSpec.builder("true").env("", "x"), "environment");
  }

  @Test
  void start_missingThings_saysWhichAndTheWayOut() {
    assertThat(reasonOf(ExecSpec.builder("no-such-program"), "no-such-program", "PATH="))
        .isEqualTo(StartException.Reason.PROGRAM_NOT_FOUND);
    assertThat(reasonOf(ExecSpec.builder("/usr/lib"), "/usr/lib", "not executable"))
        .isEqualTo(StartException.Reason.PROGRAM_NOT_RUNNABLE);
    assertThat(reasonOf(ExecSpec.builder("/etc/passwd"), "not executable"))
        .isEqualTo(StartException.Reason.PROGRAM_NOT_RUNNABLE);
    assertThat(reasonOf(ExecSpec.builder("true").cwd("/no/such"), "'/no/such'", "does not exist"))
        .isEqualTo(StartException.Reason.WORKING_DIRECTORY);
    assertThat(reasonOf(ExecSpec.builder("true").cwd("/etc/passwd"), "not a directory"))
        .isEqualTo(StartException.Reason.WORKING_DIRECTORY);
    assertThat(reasonOf(ExecSpec.builder("true").cwd("/root").user(1000, 1000), "1000"))
        .isEqualTo(StartException.Reason.WORKING_DIRECTORY);
    String big = "x".repeat(200_000);
    assertThat(reasonOf(ExecSpec.builder("true", big), "too long"))
        .isEqualTo(StartException.Reason.PROGRAM_NOT_RUNNABLE);
  }

  @Test
  void start_hiddenProgram_saysWhichFlagShowsIt() throws Exception {
    Path program = Files.writeString(directory.resolve("hidden-tool"), "#!/bin/sh\necho shown\n");
    Files.setPosixFilePermissions(program, Modes.of("rwxr-xr-x"));
    assertThat(reasonOf(ExecSpec.builder(program.toString()), "--expose " + directory))
        .isEqualTo(StartException.Reason.PROGRAM_NOT_FOUND);
    SandboxSpec spec = SandboxSpec.builder().expose(directory.toString()).build();
    try (Sandbox exposing = box.create(spec)) {
      assertThat(exposing.exec(program.toString()).stdout()).isEqualTo("shown\n");
      ExecResult write = exposing.exec("touch", directory + "/x");
      assertThat(write.stderr()).contains("Read-only");
    }
  }

  @Test
  void create_exposedFileBehindALink_isShownAtBothPlaces() throws Exception {
    Path file = Files.writeString(directory.resolve("real.txt"), "text");
    Path link = Files.createSymbolicLink(directory.resolve("link.txt"), file);
    try (Sandbox exposing = box.create(SandboxSpec.builder().expose(link.toString()).build())) {
      assertThat(exposing.exec("cat", link.toString()).stdout()).isEqualTo("text");
      assertThat(exposing.exec("cat", file.toString()).stdout()).isEqualTo("text");
      assertThat(exposing.exec("ls", directory.toString()).stdout())
          .isEqualTo("link.txt\nreal.txt\n");
    }
  }

  @Test
  void find_unknownAndAmbiguous_areToldApart() throws Exception {
    assertThat(box.find("known")).isSameAs(sandbox);
    assertThat(box.find(sandbox.id().toString().substring(0, 6))).isSameAs(sandbox);
    refused(NotFoundException.class, () -> box.find("nothing"), "'nothing'", "deltabox ls");
    refused(
        NotFoundException.class,
        () -> box.find(sandbox.id().toString().substring(0, 5)),
        "no such");
    refused(NotFoundException.class, () -> sandbox.exec(4711), "4711");
    List<String> ids = List.of("abcdef1", "abcdef2");
    refused(
        AmbiguousException.class,
        () -> Lookup.find("thing", "abcdef", ids, s -> s, s -> "", "ls"),
        "abcdef1 abcdef2");
  }

  @Test
  void start_closedSandbox_saysSo() throws Exception {
    Sandbox other = box.create(SandboxSpec.defaults());
    other.close();
    other.close();
    assertThat(other.running()).isFalse();
    refused(SandboxClosedException.class, () -> other.exec("true"), other.id().brief());
  }

  @Test
  void resize_withoutTerminal_isRefused() throws Exception {
    Exec exec = sandbox.start(ExecSpec.of("cat"));
    refused(InvalidRequestException.class, () -> exec.resize(TerminalSize.DEFAULT), "no terminal");
    exec.kill();
  }
}
