package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.ExecStatus.Outcome;
import io.deltabox.capture.ClockOffsets;
import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the capture engine asks of pid 1 and of the commands. */
@Timeout(240)
final class RollbackSeamTest {
  private static final int LAST_PID = 1;
  private static final int PING = 2;
  private static final int QUIET_ON = 3;
  private static final int QUIET_OFF = 4;

  @TempDir Path directory;
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private BaseLayer base;
  private IoLoop loop;
  private SandboxHost host;
  private Commands commands;

  @BeforeEach
  void open() throws Exception {
    TestBox.open(directory).close();
    base = BaseLayer.build(new BaseLayer.Key(List.of(), "sandbox"));
    loop = new IoLoop();
    SandboxSpec spec = SandboxSpec.defaults();
    CgroupSet groups = Cgroups.detect(Set.of()).make(Id.make(Clock.systemUTC().instant()), 0, spec);
    try (Descriptor program = SandboxHost.program()) {
      host =
          SandboxHost.start(
              program,
              "sandbox",
              Mounts.make(base, spec.upperBytesMax(), null),
              groups,
              List.of(),
              ClockOffsets.NONE);
    }
    commands = new Commands(host, loop, timer, Clock.systemUTC(), () -> {});
  }

  @AfterEach
  void close() {
    timer.shutdownNow();
    if (commands != null) {
      commands.close();
      host.close();
      loop.close();
      base.close();
    }
  }

  private int engine(int op, int value) throws Exception {
    try (Memory memory = Memory.allocate(64, Memory.Touch.LATER)) {
      ByteBuffer bytes = memory.slice(0, 8);
      bytes.putInt(0, op).putInt(4, value);
      SandboxFunctions.Calls calls = SandboxFunctions.get();
      Errno.check(calls.dbx_sandbox_send(host.engineChannel(), memory.address(), 8, 0, 0), "send");
      int size =
          calls.dbx_sandbox_receive(
              host.engineChannel(), memory.address(), 8, memory.address() + 16, 10_000);
      assertThat(size).isEqualTo(8);
      assertThat(bytes.getInt(4)).isEqualTo(value);
      return bytes.getInt(0);
    }
  }

  private RunningExec start(String... argv) throws Exception {
    return commands.start(
        ExecSpec.of(argv),
        Environment.of(SandboxSpec.defaults(), Accounts.OWN, ExecSpec.of(argv)),
        false);
  }

  private void killAndReap(RunningExec exec) throws Exception {
    ProcessHandle process =
        ProcessHandle.of(host.initPid()).orElseThrow().children().findFirst().orElseThrow();
    commands.kill(exec);
    process.onExit().join();
    assertThat(engine(PING, 0)).isZero();
  }

  @Test
  void lastPid_written_isTheNextTasksNumber() throws Exception {
    assertThat(engine(LAST_PID, 4999)).isZero();
    assertThat(start("sleep", "100").pid()).isEqualTo(5000);
  }

  @Test
  void unknownOperation_isRefused() throws Exception {
    assertThat(engine(99, 1)).isEqualTo(-Errno.EINVAL);
  }

  @Test
  void quiet_exitMeanwhile_isReportedAfterwards() throws Exception {
    RunningExec exec = start("sleep", "100");
    assertThat(engine(QUIET_ON, 0)).isZero();
    killAndReap(exec);
    assertThat(exec.status().outcome()).isEqualTo(Outcome.RUNNING);
    assertThat(engine(QUIET_OFF, 0)).isZero();
    assertThat(exec.waitFor()).isEqualTo(new ExecStatus(Outcome.SIGNALED, 9));
  }

  @Test
  void afterRollback_execGone_isRolledBack() throws Exception {
    Set<Integer> before = commands.capture();
    RunningExec exec = start("sleep", "100");
    engine(QUIET_ON, 0);
    killAndReap(exec);
    engine(QUIET_OFF, 1);
    Commands.RollbackOutcome outcome = commands.afterRollback(before, Set.of(), true);
    assertThat(outcome.rolledBack()).containsExactly(exec.id());
    assertThat(exec.waitFor().outcome()).isEqualTo(Outcome.ROLLED_BACK);
    assertThat(start("echo", "still").waitFor().code()).isZero();
  }

  @Test
  void afterRollback_execRemade_staysRunningUntilItsNextEnd() throws Exception {
    RunningExec exec = start("sleep", "100");
    Set<Integer> captured = commands.capture();
    engine(QUIET_ON, 0);
    killAndReap(exec);
    engine(QUIET_OFF, 1);
    engine(LAST_PID, exec.pid() - 1);
    RunningExec remade = start("sleep", "100");
    assertThat(remade.pid()).isEqualTo(exec.pid());
    Commands.RollbackOutcome outcome = commands.afterRollback(captured, Set.of(exec.pid()), true);
    assertThat(outcome.rolledBack()).containsExactly(remade.id());
    assertThat(exec.status().outcome()).isEqualTo(Outcome.RUNNING);
  }

  @Test
  void afterRollback_execHadEnded_goesOnWithItsOutput() throws Exception {
    RunningExec exec = start("sh", "-c", "echo one; read x; exit 4");
    assertThat(exec.stdout().read()).isEqualTo('o');
    Set<Integer> captured = commands.capture();
    exec.stdin().write('\n');
    assertThat(exec.waitFor()).isEqualTo(new ExecStatus(Outcome.EXITED, 4));
    engine(QUIET_ON, 0);
    engine(QUIET_OFF, 1);
    Commands.RollbackOutcome outcome = commands.afterRollback(captured, Set.of(exec.pid()), true);
    assertThat(outcome.goesOn()).containsExactly(exec.id());
    // Nothing was really made again, which pid 1 finds out.
    assertThat(exec.waitFor()).isEqualTo(new ExecStatus(Outcome.EXITED, 255));
    assertThat(new String(exec.stdout().readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("one\n");
  }

  @Test
  void capture_execEndedSince_keepsItsPipes() throws Exception {
    RunningExec kept = start("cat");
    commands.capture();
    RunningExec other = start("cat");
    for (RunningExec exec : List.of(kept, other)) {
      exec.stdin().close();
      exec.waitFor();
      assertThat(exec.stdout().readAllBytes()).isEmpty();
    }
    // Answered on the thread that closes descriptors, after it has.
    commands.afterRollback(Set.of(), Set.of(), false);
    assertThat(kept.streams().output().open()).isTrue();
    assertThat(other.streams().output().open()).isFalse();
  }
}
