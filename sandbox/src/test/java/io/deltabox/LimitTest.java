package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Limits hold for what runs inside. */
@Timeout(240)
final class LimitTest {
  @TempDir static Path directory;
  private static DeltaBox box;

  @BeforeAll
  static void open() throws Exception {
    box = TestBox.open(directory);
  }

  @AfterAll
  static void close() {
    if (box != null) {
      box.close();
    }
  }

  private static void require(Cgroups.Limit limit) throws Exception {
    boolean here = Cgroups.detect(Set.of()).holds(limit);
    if (!here) {
      System.out.println("UNAVAILABLE: " + limit + " limit (no writable cgroup controller)");
    }
    assumeTrue(here, "no cgroup controller for " + limit);
  }

  @Test
  void memory_aboveTheLimit_isKilled() throws Exception {
    require(Cgroups.Limit.MEMORY);
    SandboxSpec spec = SandboxSpec.builder().memoryBytesMax(64 << 20).build();
    try (Sandbox sandbox = box.create(spec)) {
      // tail keeps its whole input when it has no line end.
      ExecResult result =
          sandbox.exec("sh", "-c", "head -c 200000000 /dev/zero | tail > /dev/null");
      assertThat(result.exitCode()).isEqualTo(137);
      assertThat(sandbox.exec("echo", "alive").stdout()).isEqualTo("alive\n");
    }
  }

  @Test
  void processes_aboveTheLimit_forkFails() throws Exception {
    require(Cgroups.Limit.PROCESSES);
    try (Sandbox sandbox = box.create(SandboxSpec.builder().processesMax(20).build())) {
      ExecSpec bomb =
          ExecSpec.builder("sh", "-c", "i=0; while [ $i -lt 50 ]; do sleep 99 & i=$((i+1)); done")
              .background(true)
              .build();
      Exec exec = sandbox.start(bomb);
      exec.waitFor();
      assertThat(sandbox.processes()).hasSizeLessThan(20);
      assertThat(new String(exec.stderr().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8))
          .contains("fork");
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 30; i++) {
                  sandbox.start(ExecSpec.builder("sleep", "99").background(true).build());
                }
              })
          .isInstanceOf(StartException.class)
          .hasMessageContaining("limit of processes");
    }
  }

  @Test
  void cpu_belowOne_slowsABusyLoop() throws Exception {
    require(Cgroups.Limit.CPU);
    try (Sandbox sandbox = box.create(SandboxSpec.builder().cpus(0.2).build())) {
      String script =
          "read _ a < /proc/uptime; read u0 _ < /proc/uptime; i=0;"
              + " while [ $i -lt 400000 ]; do i=$((i+1)); done; read u1 _ < /proc/uptime;"
              + " echo $u0 $u1; times";
      String[] lines = sandbox.exec("sh", "-c", script).stdout().split("\n");
      String[] clock = lines[0].split(" ");
      double wall = Double.parseDouble(clock[1]) - Double.parseDouble(clock[0]);
      String[] user = lines[1].split("[ms ]+");
      double cpu = Double.parseDouble(user[1]) + Double.parseDouble(user[3]);
      assertThat(wall).isGreaterThan(2.5 * cpu);
    }
  }

  @Test
  void files_aboveTheLimit_isNoSpace() throws Exception {
    try (Sandbox sandbox = box.create(SandboxSpec.builder().upperBytesMax(8 << 20).build())) {
      ExecResult result = sandbox.exec("sh", "-c", "head -c 20000000 /dev/zero > /tmp/big");
      assertThat(result.stderr()).contains("No space left");
      assertThat(sandbox.exec("stat", "-c", "%s", "/tmp/big").stdout().trim())
          .satisfies(size -> assertThat(Long.parseLong(size)).isBetween(6L << 20, 8L << 20));
      ExecResult shm =
          sandbox.exec("sh", "-c", "rm /tmp/big; head -c 20000000 /dev/zero > /dev/shm/big");
      assertThat(shm.stderr()).contains("No space left");
    }
  }

  @Test
  void fileCount_aboveTheLimit_isNoSpace() throws Exception {
    try (Sandbox sandbox = box.create(SandboxSpec.builder().upperBytesMax(1 << 20).build())) {
      ExecResult result =
          sandbox.exec(
              "sh",
              "-c",
              "cd /tmp; i=0; while [ $i -lt 3000 ]; do : > f$i || exit 9; i=$((i+1)); done");
      assertThat(result.exitCode()).isNotZero();
      assertThat(result.stderr()).contains("No space left");
    }
  }
}
