package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.ExecStatus.Outcome;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Commands across checkpoints and rollbacks. */
@Timeout(240)
final class RollbackTest {
  private static final String COUNTER =
      "n=0; while read line; do n=$((n+1)); echo $n $line; done; exit $n";

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

  private static String ask(Exec exec, InputStream out, String line) throws Exception {
    exec.stdin().write((line + "\n").getBytes(StandardCharsets.UTF_8));
    StringBuilder answer = new StringBuilder();
    for (int c = out.read(); c != '\n'; c = out.read()) {
      assertThat(c).as("end of output after " + answer).isNotNegative();
      answer.append((char) c);
    }
    return answer.toString();
  }

  @Test
  void rollback_commandStillRunning_goesOnFromThen() throws Exception {
    try (Sandbox sandbox = box.create(SandboxSpec.defaults())) {
      Exec counter = sandbox.start(ExecSpec.of("sh", "-c", COUNTER));
      InputStream out = counter.stdout();
      assertThat(ask(counter, out, "a")).isEqualTo("1 a");
      Snapshot then = sandbox.checkpoint("then");
      for (int round = 0; round < 5; round++) {
        assertThat(ask(counter, out, "b")).isEqualTo("2 b");
        assertThat(ask(counter, out, "c")).isEqualTo("3 c");
        RollbackResult result = sandbox.rollback(then);
        assertThat(result.rolledBack()).isEmpty();
      }
      assertThat(counter.status().outcome()).isEqualTo(Outcome.RUNNING);
      try (OutputStream in = counter.stdin()) {
        in.write("d\n".getBytes(StandardCharsets.UTF_8));
      }
      assertThat(counter.waitFor()).isEqualTo(new ExecStatus(Outcome.EXITED, 2));
      assertThat(new String(out.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("2 d\n");
    }
  }

  @Test
  void undo_afterRollback_isAsBeforeItAndAgain() throws Exception {
    try (Sandbox sandbox = box.create(SandboxSpec.defaults())) {
      Exec counter = sandbox.start(ExecSpec.of("sh", "-c", COUNTER));
      InputStream out = counter.stdout();
      assertThat(ask(counter, out, "a")).isEqualTo("1 a");
      sandbox.checkpoint("then");
      assertThat(ask(counter, out, "b")).isEqualTo("2 b");
      sandbox.exec("sh", "-c", "echo mine > /tmp/unsaved");
      RollbackResult back = sandbox.rollback("then");
      assertThat(back.left()).isNotNull();
      assertThat(back.notKept()).isNull();
      assertThat(sandbox.exec("cat", "/tmp/unsaved").exitCode()).isEqualTo(1);
      assertThat(ask(counter, out, "c")).isEqualTo("2 c");
      assertThat(ask(counter, out, "d")).isEqualTo("3 d");
      sandbox.undo();
      assertThat(sandbox.exec("cat", "/tmp/unsaved").stdout()).isEqualTo("mine\n");
      assertThat(ask(counter, out, "e")).isEqualTo("3 e");
      sandbox.undo();
      assertThat(ask(counter, out, "f")).isEqualTo("4 f");
    }
  }

  @Test
  void rollback_again_keepsOnlyWhatTheLastOneLeft() throws Exception {
    try (Sandbox sandbox = box.create(SandboxSpec.defaults())) {
      sandbox.checkpoint("then");
      for (int round = 0; round < 5; round++) {
        sandbox.exec("sh", "-c", "echo " + round + " > /tmp/round");
        sandbox.rollback("then");
        assertThat(sandbox.snapshots()).filteredOn(Snapshot::leftByRollback).hasSize(1);
      }
      sandbox.undo();
      assertThat(sandbox.exec("cat", "/tmp/round").stdout()).isEqualTo("4\n");
    }
  }

  @Test
  void undo_withoutRollbackOrNotKept_saysSo() throws Exception {
    try (Sandbox sandbox = box.create(SandboxSpec.defaults())) {
      assertThatThrownBy(sandbox::undo).isInstanceOf(NotFoundException.class);
      sandbox.checkpoint("then");
      sandbox.exec("sh", "-c", "echo mine > /tmp/unsaved");
      RollbackResult back = sandbox.rollback("then", Undo.NONE);
      assertThat(back.left()).isNull();
      assertThat(sandbox.snapshots()).hasSize(1);
      assertThatThrownBy(sandbox::undo)
          .isInstanceOf(NotFoundException.class)
          .hasMessageContaining("no rollback to undo");
    }
  }

  @Test
  void rollback_commandStartedSince_isRolledBack() throws Exception {
    try (Sandbox sandbox = box.create(SandboxSpec.defaults())) {
      Exec keeper = sandbox.start(ExecSpec.of("sh", "-c", COUNTER));
      InputStream out = keeper.stdout();
      assertThat(ask(keeper, out, "a")).isEqualTo("1 a");
      sandbox.checkpoint("then");
      Exec later =
          sandbox.start(ExecSpec.of("sh", "-c", "setsid sleep 1000 & echo up; sleep 1000"));
      assertThat(later.stdout().read()).isEqualTo('u');
      RollbackResult result = sandbox.rollback("then");
      assertThat(result.rolledBack()).containsExactly(later.id());
      assertThat(later.waitFor()).isEqualTo(new ExecStatus(Outcome.ROLLED_BACK, 0));
      assertThat(sandbox.processes()).hasSize(1);
      assertThat(ask(keeper, out, "b")).isEqualTo("2 b");
      assertThat(sandbox.exec("sh", "-c", "exit 9").exitCode()).isEqualTo(9);
      try (OutputStream in = keeper.stdin()) {
        in.flush();
      }
      assertThat(keeper.waitFor()).isEqualTo(new ExecStatus(Outcome.EXITED, 2));
    }
  }

  @Test
  void rollback_terminal_goesOn() throws Exception {
    try (Sandbox sandbox = box.create(SandboxSpec.defaults())) {
      ExecSpec spec =
          ExecSpec.builder("sh", "-c", "stty -echo -onlcr; echo up; " + COUNTER)
              .tty(TerminalSize.DEFAULT)
              .build();
      Exec counter = sandbox.start(spec);
      InputStream out = counter.stdout();
      assertThat(new String(out.readNBytes(3), StandardCharsets.UTF_8)).isEqualTo("up\n");
      assertThat(ask(counter, out, "a")).isEqualTo("1 a");
      Snapshot then = sandbox.checkpoint("then");
      assertThat(ask(counter, out, "b")).isEqualTo("2 b");
      sandbox.rollback(then);
      assertThat(ask(counter, out, "c")).isEqualTo("2 c");
      counter.stdin().close();
      assertThat(counter.waitFor()).isEqualTo(new ExecStatus(Outcome.EXITED, 2));
    }
  }

  @Test
  void rollback_files_areBackAndPrefixesAndNamesWork() throws Exception {
    try (Sandbox sandbox = box.create(SandboxSpec.builder().hostname("crane").build())) {
      sandbox.exec("sh", "-c", "echo one > /root/file; mkdir /tmp/dir");
      Snapshot one = sandbox.checkpoint("one");
      sandbox.exec(
          "sh",
          "-c",
          "echo two > /root/file; rm -r /tmp/dir; echo x > /etc/hosts; echo s > /dev/shm/s");
      Snapshot two = sandbox.checkpoint("two");
      assertThat(two.parent()).isEqualTo(one.id());
      assertThat(sandbox.snapshot("@-1")).isEqualTo(one);
      assertThat(sandbox.snapshot(one.id().toString().substring(0, 8))).isEqualTo(one);
      sandbox.rollback("one");
      String look = "cat /root/file; ls -d /tmp/dir; cat /etc/hosts | head -1; ls /dev/shm";
      assertThat(sandbox.exec("sh", "-c", look).stdout())
          .isEqualTo("one\n/tmp/dir\n127.0.0.1 localhost crane\n");
      sandbox.rollback("two");
      assertThat(sandbox.exec("sh", "-c", look).stdout()).isEqualTo("two\nx\ns\n");
    }
  }

  @Test
  void rollback_everythingRemoved_isBack() throws Exception {
    try (Sandbox sandbox = box.create(SandboxSpec.defaults())) {
      sandbox.exec("sh", "-c", "mkdir -p /root/a/b; echo text > /root/a/b/c; ln -s b /root/a/l");
      String look =
          "cd /; find root home etc var tmp -xdev | sort | md5sum; cat /root/a/l/c; ls /usr | wc -l";
      String before = sandbox.exec("sh", "-c", look).stdout();
      sandbox.checkpoint("before");
      Exec removal =
          sandbox.start(
              ExecSpec.builder("rm", "-rf", "--no-preserve-root", "/root", "/home", "/etc", "/var")
                  .background(true)
                  .build());
      removal.waitFor();
      assertThat(sandbox.exec("ls", "-A", "/root").exitCode()).isNotZero();
      sandbox.rollback("before");
      assertThat(sandbox.exec("sh", "-c", look).stdout()).isEqualTo(before);
    }
  }

  @Test
  void rollback_programFileReplacedWhileItRuns_goesOn() throws Exception {
    try (Sandbox sandbox = box.create(SandboxSpec.defaults())) {
      sandbox.exec(
          "sh",
          "-c",
          "printf '#!/bin/sh\\n" + COUNTER + "\\n' > /tmp/counter; chmod +x /tmp/counter");
      Exec counter = sandbox.start(ExecSpec.of("/tmp/counter"));
      InputStream out = counter.stdout();
      assertThat(ask(counter, out, "a")).isEqualTo("1 a");
      sandbox.checkpoint("then");
      sandbox.exec("sh", "-c", "rm /tmp/counter; echo other > /tmp/counter");
      assertThat(ask(counter, out, "b")).isEqualTo("2 b");
      sandbox.rollback("then");
      assertThat(ask(counter, out, "c")).isEqualTo("2 c");
      assertThat(sandbox.exec("sh", "-c", "head -c 9 /tmp/counter").stdout())
          .isEqualTo("#!/bin/sh");
    }
  }
}
