package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.ExecStatus.Outcome;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Commands: their input, output, end and limits. */
@Timeout(240)
final class ExecTest {
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

  private static ExecResult shell(String script) throws Exception {
    return sandbox.exec("sh", "-c", script);
  }

  @Test
  void exec_exitCode_isReported() throws Exception {
    assertThat(shell("exit 7").status()).isEqualTo(new ExecStatus(Outcome.EXITED, 7));
  }

  @Test
  void exec_killedBySignal_isReported() throws Exception {
    ExecResult result = shell("kill -TERM $$");
    assertThat(result.status()).isEqualTo(new ExecStatus(Outcome.SIGNALED, 15));
    assertThat(result.exitCode()).isEqualTo(143);
  }

  @Test
  void exec_bothStreams_areSeparate() throws Exception {
    ExecResult result = shell("echo out; echo err >&2");
    assertThat(result.stdout()).isEqualTo("out\n");
    assertThat(result.stderr()).isEqualTo("err\n");
  }

  @Test
  void exec_binaryOutput_isUnchanged() throws Exception {
    ExecResult result = shell("head -c 300000 /dev/zero | tr '\\0' '\\377'");
    assertThat(result.stdoutBytes()).hasSize(300000).containsOnly(0xff);
    assertThat(result.stdoutTruncated()).isFalse();
  }

  @Test
  void exec_environment_isTheSandboxsOwn() throws Exception {
    ExecSpec spec =
        ExecSpec.builder("env").env("COLOR", "green").env("PATH", "/usr/bin:/bin").build();
    List<String> lines = sandbox.exec(spec).stdout().lines().toList();
    assertThat(lines)
        .contains("COLOR=green", "PATH=/usr/bin:/bin", "HOME=/root", "USER=root")
        .hasSize(7);
  }

  @Test
  void exec_cwdAndUser_areSet() throws Exception {
    ExecSpec spec =
        ExecSpec.builder("sh", "-c", "pwd; id -u; id -g; id -G; echo $HOME; umask")
            .cwd("/usr/lib")
            .user(1000, 1000)
            .build();
    assertThat(sandbox.exec(spec).stdout())
        .isEqualTo("/usr/lib\n1000\n1000\n1000\n/home/user\n0022\n");
  }

  @Test
  void exec_userWithoutCwd_startsAtHome() throws Exception {
    ExecSpec spec = ExecSpec.builder("sh", "-c", "pwd; touch x && ls").user(1000, 1000).build();
    assertThat(sandbox.exec(spec).stdout()).isEqualTo("/home/user\nx\n");
  }

  @Test
  void start_stdin_reachesTheCommandAndEnds() throws Exception {
    Exec exec = sandbox.start(ExecSpec.of("sh", "-c", "cat; echo done"));
    try (OutputStream in = exec.stdin()) {
      in.write("hello\n".getBytes(StandardCharsets.UTF_8));
    }
    assertThat(text(exec.stdout())).isEqualTo("hello\ndone\n");
    assertThat(exec.waitFor()).isEqualTo(new ExecStatus(Outcome.EXITED, 0));
  }

  @Test
  void start_muchInput_waitsForTheReader() throws Exception {
    Exec exec = sandbox.start(ExecSpec.of("sh", "-c", "sleep 0.2; wc -c"));
    try (OutputStream in = exec.stdin()) {
      in.write(new byte[3 << 20]);
    }
    assertThat(text(exec.stdout()).trim()).isEqualTo(Integer.toString(3 << 20));
  }

  @Test
  void stdin_commandGone_writeFails() throws Exception {
    Exec exec = sandbox.start(ExecSpec.of("true"));
    exec.waitFor();
    assertThatThrownBy(() -> exec.stdin().write(new byte[1 << 20]))
        .isInstanceOf(java.io.IOException.class);
  }

  @Test
  void start_slowReader_losesNothing() throws Exception {
    Exec exec = sandbox.start(ExecSpec.of("sh", "-c", "seq 1 1000000"));
    // More than is kept: the command must wait until somebody reads.
    assertThat(exec.waitFor(Duration.ofMillis(300))).isEmpty();
    long expected = 0;
    try (InputStream out = exec.stdout()) {
      String all = text(out);
      assertThat(all).startsWith("1\n2\n").endsWith("\n999999\n1000000\n");
      expected = all.lines().count();
    }
    assertThat(expected).isEqualTo(1000000);
    assertThat(exec.waitFor().code()).isZero();
  }

  @Test
  void exec_oneGigabyte_flowsInBoundedMemory() throws Exception {
    Runtime runtime = Runtime.getRuntime();
    System.gc();
    long before = runtime.totalMemory() - runtime.freeMemory();
    ExecResult result = shell("head -c 1000000000 /dev/zero");
    System.gc();
    long after = runtime.totalMemory() - runtime.freeMemory();
    assertThat(result.exitCode()).isZero();
    assertThat(result.stdoutBytes()).hasSize(Exec.OUTPUT_KEPT_MAX);
    assertThat(result.stdoutTruncated()).isTrue();
    assertThat(after - before).isLessThan(64L << 20);
  }

  @Test
  void start_background_neverWaitsAndKeepsTheTail() throws Exception {
    ExecSpec spec = ExecSpec.builder("sh", "-c", "seq 1 1000000").background(true).build();
    Exec exec = sandbox.start(spec);
    assertThat(exec.waitFor(Duration.ofSeconds(60))).isPresent();
    String late = text(exec.stdout());
    assertThat(late).hasSize(Exec.OUTPUT_KEPT_MAX).endsWith("\n1000000\n");
    assertThat(text(sandbox.exec(exec.id()).stdout())).isEqualTo(late);
  }

  @Test
  void stdout_twoReaders_bothSeeEverything() throws Exception {
    Exec exec = sandbox.start(ExecSpec.of("sh", "-c", "read x; echo got $x"));
    InputStream first = exec.stdout();
    InputStream second = exec.stdout();
    exec.stdin().write("a\n".getBytes(StandardCharsets.UTF_8));
    assertThat(text(first)).isEqualTo("got a\n");
    assertThat(text(second)).isEqualTo("got a\n");
  }

  @Test
  void exec_leftOverChildHoldsTheOutput_stillReturns() throws Exception {
    long began = System.nanoTime();
    ExecResult result = shell("sleep 600 & echo here");
    assertThat(result.stdout()).isEqualTo("here\n");
    assertThat(System.nanoTime() - began).isLessThan(Duration.ofMinutes(5).toNanos());
  }

  @Test
  void exec_timeOut_endsDaemonisedChildrenToo() throws Exception {
    String script = "setsid sh -c 'sleep 4321 & exec sleep 4321' & sleep 4321";
    ExecSpec spec = ExecSpec.builder("sh", "-c", script).timeout(Duration.ofMillis(300)).build();
    ExecResult result = sandbox.exec(spec);
    assertThat(result.status().outcome()).isEqualTo(Outcome.TIMED_OUT);
    assertThat(result.exitCode()).isEqualTo(124);
    awaitNone("sleep 4321");
  }

  @Test
  void kill_command_endsItWithItsChildren() throws Exception {
    Exec exec = sandbox.start(ExecSpec.of("sh", "-c", "setsid sleep 4322 & echo up; sleep 4322"));
    assertThat(exec.stdout().read()).isEqualTo('u');
    exec.kill();
    assertThat(exec.waitFor()).isEqualTo(new ExecStatus(Outcome.SIGNALED, 9));
    awaitNone("sleep 4322");
  }

  @Test
  void signal_term_reachesTheFirstProcess() throws Exception {
    Exec exec =
        sandbox.start(
            ExecSpec.of(
                "sh", "-c", "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done"));
    InputStream out = exec.stdout();
    assertThat(new String(out.readNBytes(3), StandardCharsets.UTF_8)).isEqualTo("up\n");
    exec.signal(15);
    assertThat(exec.waitFor()).isEqualTo(new ExecStatus(Outcome.EXITED, 3));
    assertThat(text(out)).isEqualTo("bye\n");
  }

  @Test
  void start_terminal_hasSizeNameAndResize() throws Exception {
    ExecSpec spec =
        ExecSpec.builder("sh", "-c", "tty; stty size; read x; stty size")
            .tty(new TerminalSize(33, 101))
            .build();
    Exec exec = sandbox.start(spec);
    InputStream out = exec.stdout();
    String first = line(out) + line(out);
    exec.resize(new TerminalSize(50, 200));
    exec.stdin().write('\n');
    String rest = text(out);
    assertThat(first).matches("/dev/pts/\\d+\\r\\n33 101\\r\\n");
    assertThat(rest).contains("50 200");
    assertThat(text(exec.stderr())).isEmpty();
  }

  @Test
  void start_terminalInput_controlCInterrupts() throws Exception {
    Exec exec = sandbox.start(ExecSpec.builder("sleep", "60").tty(TerminalSize.DEFAULT).build());
    exec.stdin().write(3);
    assertThat(exec.waitFor()).isEqualTo(new ExecStatus(Outcome.SIGNALED, 2));
    assertThat(exec.status().shellCode()).isEqualTo(130);
  }

  @Test
  void start_terminalClosedInput_isEndOfFile() throws Exception {
    ExecSpec spec = ExecSpec.builder("cat").tty(TerminalSize.DEFAULT).build();
    Exec exec = sandbox.start(spec);
    exec.stdin().close();
    assertThat(exec.waitFor()).isEqualTo(new ExecStatus(Outcome.EXITED, 0));
  }

  @Test
  void processes_running_areListedWithInnerPids() throws Exception {
    // What is printed comes from a child that runs its program already.
    Exec exec = sandbox.start(ExecSpec.of("sh", "-c", "yes & wait"));
    assertThat(exec.stdout().read()).isEqualTo('y');
    List<ProcessInfo> all = sandbox.processes();
    ProcessInfo root = all.stream().filter(p -> p.pid() == exec.pid()).findFirst().orElseThrow();
    assertThat(root.parentPid()).isEqualTo(1);
    Set<String> children =
        all.stream()
            .filter(p -> p.parentPid() == exec.pid())
            .map(ProcessInfo::command)
            .collect(Collectors.toSet());
    assertThat(children).containsExactly("yes");
    exec.kill();
  }

  private static void awaitNone(String command) throws Exception {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (sandbox.processes().stream().anyMatch(p -> p.command().equals(command))) {
      assertThat(System.nanoTime()).as("still running: " + command).isLessThan(deadline);
      Thread.onSpinWait();
    }
  }

  private static String line(InputStream in) throws Exception {
    StringBuilder line = new StringBuilder();
    int c;
    do {
      c = in.read();
      assertThat(c).as("end after " + line).isNotNegative();
      line.append((char) c);
    } while (c != '\n');
    return line.toString();
  }

  private static String text(InputStream in) throws Exception {
    return new String(in.readAllBytes(), StandardCharsets.UTF_8);
  }
}
