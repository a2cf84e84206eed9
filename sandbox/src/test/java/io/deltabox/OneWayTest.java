package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.RollbackPlan.Action;
import io.deltabox.capture.UnsupportedException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a process cannot take back, done since a snapshot: a rollback undoes it, and its plan says
 * how. Every rollback is compared by the independent reader.
 */
@Timeout(240)
final class OneWayTest {
  @TempDir static Path directory;
  private static DeltaBox box;
  private Sandbox sandbox;
  private TestPython python;

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

  @BeforeEach
  void start() throws Exception {
    sandbox = box.create(SandboxSpec.defaults());
    sandbox.checking(true);
    python = TestPython.start(sandbox, 0);
  }

  @AfterEach
  void end() {
    sandbox.close();
  }

  private String ask(String code) throws IOException {
    return python.ask(code);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "os.setsid()                           | os.getsid(0)==os.getpid()       | (setsid)",
        "prctl(38,1)                           | status('NoNewPrivs')            | (no_new_privs)",
        "prctl(38,1); install(ALLOW)           | status('Seccomp_filters')       | (seccomp)",
        "prctl(24,7)                           | status('CapBnd')                | capabilities",
        "caps(0,0,0)                           | status('CapPrm')                | capabilities",
        "os.setresuid(1000,1000,1000)          | os.getuid()                     | its user",
        "os.setgroups([5]); os.setresuid(8,8,8)| os.getgroups()                  | its user",
        "prctl(28,0x2f)                        | libc.prctl(27,0,0,0,0)          | (securebits)",
      })
  void rollback_wentOneWaySince_isMadeAgainAsPlanned(String change, String look, String reason)
      throws Exception {
    String before = ask("say((" + look + "))");
    Snapshot then = sandbox.checkpoint("then");
    for (int round = 0; round < 2; round++) {
      assertThat(ask(change + "; say('done')")).isEqualTo("done");
      assertThat(ask("say((" + look + "))")).isNotEqualTo(before);
      RollbackPlan plan = sandbox.planRollback("then");
      assertThat(step(plan, 2).action()).isEqualTo(Action.EDIT);
      assertThat(step(plan, 3).action()).isEqualTo(Action.REBUILD);
      assertThat(step(plan, 3).reason()).contains(reason);
      agrees(plan, sandbox.rollback(then));
      assertThat(ask("say((" + look + "))")).isEqualTo(before);
    }
  }

  @Test
  void rollback_rootDirectoryLeftSince_isBackInIt() throws Exception {
    String look = "say((sorted(os.listdir('/'))==sorted(os.listdir('..')),os.path.exists('/usr')))";
    String before = ask("os.chdir('/'); " + look);
    Snapshot then = sandbox.checkpoint("then");
    for (int round = 0; round < 2; round++) {
      assertThat(ask("os.chroot('/usr'); os.chdir('/lib'); say(os.path.exists('/usr'))"))
          .isEqualTo("False");
      agrees(sandbox.planRollback("then"), sandbox.rollback(then));
      assertThat(ask(look)).isEqualTo(before);
    }
  }

  @Test
  void rollback_killedInAnotherRootDirectory_isThereAgain() throws Exception {
    assertThat(ask("os.chroot('/usr'); os.chdir('/lib'); say(os.getcwd())")).isEqualTo("/lib");
    Snapshot then = sandbox.checkpoint("then");
    for (int round = 0; round < 2; round++) {
      python.exec().kill();
      python.exec().waitFor();
      agrees(sandbox.planRollback("then"), sandbox.rollback(then));
      assertThat(ask("say((os.getcwd(),os.path.exists('/usr')))")).isEqualTo("('/lib', False)");
    }
    try (Sandbox made = box.restore(then, null)) {
      assertThat(python.in(made).ask("say((os.getcwd(),os.path.exists('/usr')))"))
          .isEqualTo("('/lib', False)");
    }
  }

  /** Calls that are injected at a checkpoint: prctl, getitimer, getpgid, gettid, userfaultfd. */
  private static final String FORBID = "forbid(157,36,121,186,323)";

  @Test
  void checkpoint_ownFilter_isRefusedByNameAndTheProgramRunsOn() throws Exception {
    assertThat(ask("prctl(38,1); say('x')")).isEqualTo("x");
    sandbox.checkpoint("before");
    assertThat(ask(FORBID + "; say('x')")).isEqualTo("x");
    for (int round = 0; round < 2; round++) {
      sandbox.prepare();
      assertThatThrownBy(() -> sandbox.checkpoint("then"))
          .isInstanceOf(UnsupportedException.class)
          .hasMessageContaining("pid=3 comm=python3")
          .hasMessageContaining("(seccomp)")
          .hasMessageContaining("end it first");
      assertThat(ask("say(5)")).isEqualTo("5");
    }
    python.exec().kill();
    python.exec().waitFor();
    sandbox.checkpoint("then");
  }

  @Test
  void checkpoint_filterBeforeItWasFollowed_isRefused() throws Exception {
    sandbox.prepare();
    assertThat(ask("os.fork() or (" + FORBID + ",say('x'),time.sleep(1000))")).isEqualTo("x");
    sandbox.prepare();
    assertThatThrownBy(() -> sandbox.checkpoint("then"))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("pid=4 comm=python3");
    assertThat(ask("os.kill(4,0); os.kill(4,9); say(os.waitpid(4,0)[1])")).isEqualTo("9");
    sandbox.checkpoint("then");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        FORBID,
        "t=threading.Thread(target=lambda:(" + FORBID + ",say('x'),time.sleep(1000))); t.start()"
      })
  void rollback_filterInstalledSince_isMadeAgainWithout(String install) throws Exception {
    assertThat(ask("prctl(38,1); n=5; say('x')")).isEqualTo("x");
    Snapshot then = sandbox.checkpoint("then");
    for (int round = 0; round < 2; round++) {
      String more = install.startsWith("t=") ? "" : "; say('x')";
      assertThat(ask(install + more)).isEqualTo("x");
      RollbackPlan plan = sandbox.planRollback("then");
      assertThat(step(plan, 3).reason()).contains("(seccomp)");
      RollbackResult result = sandbox.rollback(then);
      agrees(plan, result);
      assertThat(result.processesMade()).isEqualTo(1);
      assertThat(result.notKept()).contains("pid=3 comm=python3").contains("(seccomp)");
      assertThat(ask("say((n,status('Seccomp_filters'),threading.active_count()))"))
          .isEqualTo("(5, '1', 1)");
    }
  }

  @Test
  void planRollback_parentGaveUpRights_rebuildsItsTree() throws Exception {
    assertThat(ask("p=subprocess.Popen(['/usr/bin/sleep','1000']); say(p.pid)")).isEqualTo("4");
    Snapshot then = sandbox.checkpoint("then");
    assertThat(ask("prctl(38,1); say('done')")).isEqualTo("done");
    RollbackPlan plan = sandbox.planRollback("then");
    assertThat(step(plan, 3).action()).isEqualTo(Action.REBUILD);
    assertThat(step(plan, 4))
        .isEqualTo(
            new RollbackPlan.Step(
                4,
                "sleep",
                Action.REBUILD_TREE,
                "is a child of a process that is made again",
                step(plan, 4).pageCount(),
                0,
                0));
    agrees(plan, sandbox.rollback(then));
    assertThat(ask("p.kill(); say(p.wait())")).isEqualTo("-9");
  }

  @Test
  void planRollback_everyKindAtOnce_agreesWithTheRollback() throws Exception {
    String start = "subprocess.Popen(['/usr/bin/sleep','1000'])";
    assertThat(ask("p,q=" + start + "," + start + "; say(q.pid)")).isEqualTo("5");
    Exec other = sandbox.start(ExecSpec.of("bash", "-c", "read -r line; exec sleep 1000"));
    assertThat(ask("open('/root/a','w').write('a'); os.mkdir('/root/d'); say('x')")).isEqualTo("x");
    Snapshot then = sandbox.checkpoint("then");
    other.stdin().write('\n');
    assertThat(
            ask(
                "p.kill(); p.wait(); r="
                    + start
                    + "; x=[i for i in range(100000)]; open('/root/a','w').write('b');"
                    + " open('/root/b','w').write('b'); os.rmdir('/root/d'); say('x')"))
        .isEqualTo("x");
    String isBash = "'bash' in os.readlink('/proc/" + other.pid() + "/exe')";
    assertThat(ask("exec(\"while " + isBash + ": pass\"); say('x')")).isEqualTo("x");
    RollbackPlan plan = sandbox.planRollback("then");
    assertThat(step(plan, 3).action()).isEqualTo(Action.EDIT);
    assertThat(step(plan, 4).reason()).isEqualTo("has ended since");
    assertThat(step(plan, 5).action()).isEqualTo(Action.EDIT);
    assertThat(step(plan, other.pid()).action()).isEqualTo(Action.EXECUTE);
    assertThat(step(plan, other.pid() + 1).action()).isEqualTo(Action.END);
    assertThat(files(plan)).containsExactly("M /root/a", "- /root/b", "+ /root/d");
    RollbackResult result = sandbox.rollback(then);
    agrees(plan, result);
    assertThat(result.fileCount()).isEqualTo(plan.files().size());
  }

  @Test
  void planRollback_inBetween_losesNothing() throws Exception {
    assertThat(ask("x=bytearray(1<<20); say('x')")).isEqualTo("x");
    Snapshot then = sandbox.checkpoint("then");
    assertThat(ask("x[:]=b'1'*len(x); os.makedirs('/root/a/b'); say('x')")).isEqualTo("x");
    assertThat(files(sandbox.planRollback("then"))).containsExactly("- /root/a");
    assertThat(ask("open('/root/a/c','w').write('c'); say(x[5])")).isEqualTo("49");
    sandbox.planRollback("then");
    assertThat(ask("os.rename('/root/a','/root/e'); os.mkdir('/root/a'); say('x')")).isEqualTo("x");
    assertThat(files(sandbox.planRollback("then"))).containsExactly("- /root/a", "- /root/e");
    Snapshot later = sandbox.checkpoint("later");
    assertThat(files(sandbox.planRollback("later"))).isEmpty();
    assertThat(ask("x[:]=b'2'*len(x); os.remove('/root/e/c'); say('x')")).isEqualTo("x");
    agrees(sandbox.planRollback("later"), sandbox.rollback(later));
    assertThat(ask("say((x[7],open('/root/e/c').read()))")).isEqualTo("(49, 'c')");
    agrees(sandbox.planRollback("then"), sandbox.rollback(then));
    assertThat(ask("say((x[7],os.listdir('/root')))")).isEqualTo("(0, [])");
  }

  private static void agrees(RollbackPlan plan, RollbackResult result) {
    assertThat(result.rebuilt()).isFalse();
    assertThat(result.processesMade()).isEqualTo(plan.processesMade());
    assertThat(result.processesEnded()).isEqualTo(plan.processesEnded());
    assertThat(plan.count(Action.REBUILD) + plan.count(Action.REBUILD_TREE))
        .isEqualTo(plan.processesMade());
  }

  private static RollbackPlan.Step step(RollbackPlan plan, int pid) {
    return plan.steps().stream().filter(s -> s.pid() == pid).findAny().orElseThrow();
  }

  private static List<String> files(RollbackPlan plan) {
    return plan.files().stream()
        .map(
            f ->
                (f.kind() == SnapshotDiff.Kind.ADDED
                        ? "+ "
                        : f.kind() == SnapshotDiff.Kind.REMOVED ? "- " : "M ")
                    + f.path())
        .toList();
  }
}
