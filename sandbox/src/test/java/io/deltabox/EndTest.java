package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A sandbox leaves nothing behind, however it ends. */
@Timeout(240)
final class EndTest {
  @TempDir Path directory;

  /** What a killed daemon runs. */
  public static final class Daemon {
    private Daemon() {}

    /** Makes three sandboxes with busy commands, says so, waits to be killed. */
    public static void main(String[] args) throws Exception {
      DeltaBox box = DeltaBox.open(DeltaBoxConfig.of(Path.of(args[0])));
      for (int i = 0; i < 3; i++) {
        Sandbox sandbox = box.create(SandboxSpec.defaults());
        sandbox.start(
            ExecSpec.of(
                "sh", "-c", "setsid sh -c 'while :; do sleep 0.01; done' & while :; do :; done"));
        sandbox.start(ExecSpec.builder("cat").tty(TerminalSize.DEFAULT).build());
      }
      System.out.println("ready");
      Thread.sleep(Duration.ofMinutes(10).toMillis());
    }
  }

  private static List<Path> groups() throws Exception {
    List<Path> found = new ArrayList<>();
    for (CgroupMount mount : CgroupMount.readAll()) {
      try (var list = Files.newDirectoryStream(mount.own(), Cgroups.PREFIX + "*")) {
        list.forEach(found::add);
      }
    }
    return found;
  }

  private static List<Path> groupsOf(long pid) throws Exception {
    String prefix = Cgroups.PREFIX + pid + ".";
    return groups().stream().filter(p -> p.getFileName().toString().startsWith(prefix)).toList();
  }

  /** Processes below one in the tree, deepest last. */
  private static List<ProcessHandle> tree(long pid) {
    return ProcessHandle.of(pid).orElseThrow().descendants().toList();
  }

  private static void awaitDead(List<ProcessHandle> processes) {
    for (ProcessHandle process : processes) {
      process.onExit().join();
    }
  }

  private static int mountCount() throws Exception {
    return Files.readAllLines(Path.of("/proc/self/mountinfo")).size();
  }

  @Test
  void daemon_killed_leavesNothing() throws Exception {
    TestBox.open(directory).close();
    int mounts = mountCount();
    Process daemon =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djnr.ffi.x86asm.enabled=false",
                "-cp",
                System.getProperty("java.class.path"),
                Daemon.class.getName(),
                directory.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    BufferedReader out =
        new BufferedReader(new InputStreamReader(daemon.getInputStream(), StandardCharsets.UTF_8));
    assertThat(out.readLine()).isEqualTo("ready");
    List<ProcessHandle> inside = tree(daemon.pid());
    assertThat(inside).hasSizeGreaterThan(12);
    assertThat(groupsOf(daemon.pid())).isNotEmpty();
    assertThat(mountCount()).isEqualTo(mounts);

    daemon.destroyForcibly().waitFor();

    awaitDead(inside);
    assertThat(groupsOf(daemon.pid())).isEmpty();
    assertThat(mountCount()).isEqualTo(mounts);
  }

  @Test
  void close_busySandbox_leavesNothing() throws Exception {
    List<ProcessHandle> inside;
    try (DeltaBox box = TestBox.open(directory)) {
      Sandbox sandbox = box.create(SandboxSpec.defaults());
      sandbox.start(ExecSpec.of("sh", "-c", "setsid sleep 500 & while :; do :; done"));
      inside = tree(ProcessHandle.current().pid());
      assertThat(inside).hasSizeGreaterThanOrEqualTo(3);
    }
    assertThat(inside).allMatch(p -> !p.isAlive());
    assertThat(groupsOf(ProcessHandle.current().pid())).isEmpty();
  }

  @Test
  void initProcess_killedFromOutside_endsTheSandbox() throws Exception {
    try (DeltaBox box = TestBox.open(directory)) {
      Sandbox sandbox = box.create(SandboxSpec.defaults());
      Exec exec = sandbox.start(ExecSpec.of("sleep", "500"));
      sandbox.kill();
      assertThat(exec.waitFor().outcome())
          .isIn(ExecStatus.Outcome.SANDBOX_ENDED, ExecStatus.Outcome.SIGNALED);
      sandbox.close();
      assertThat(box.sandboxes()).isEmpty();
      assertThat(groupsOf(ProcessHandle.current().pid())).isEmpty();
    }
  }

  @Test
  void guardian_killed_endsTheSandboxAndLeavesNothing() throws Exception {
    try (DeltaBox box = TestBox.open(directory)) {
      Sandbox sandbox = box.create(SandboxSpec.defaults());
      Exec exec = sandbox.start(ExecSpec.of("sh", "-c", "setsid sleep 501 & sleep 501"));
      List<ProcessHandle> inside = tree(ProcessHandle.current().pid());
      ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly);
      assertThat(exec.waitFor().outcome())
          .isIn(ExecStatus.Outcome.SANDBOX_ENDED, ExecStatus.Outcome.SIGNALED);
      awaitDead(inside);
      sandbox.close();
      assertThat(box.sandboxes()).isEmpty();
      assertThat(groupsOf(ProcessHandle.current().pid())).isEmpty();
    }
  }

  @Test
  void open_groupOfADeadOwner_isRemoved() throws Exception {
    TestBox.open(directory).close();
    List<Path> made = new ArrayList<>();
    for (CgroupMount mount : CgroupMount.readAll()) {
      // No process has this pid: it is above the kernel's maximum.
      Path group = mount.own().resolve(Cgroups.PREFIX + "4999999.1-abc");
      if (mount.version2() || mount.controllers().contains("pids")) {
        Files.createDirectory(group);
        Files.createDirectory(group.resolve("e1"));
        made.add(group);
      }
    }
    assertThat(made).isNotEmpty();
    TestBox.open(directory).close();
    assertThat(made).allMatch(Files::notExists);
  }
}
