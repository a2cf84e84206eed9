package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Programs that may do much, little or nothing, made again in every way there is. All is compared
 * by the independent reader.
 */
@Timeout(240)
final class RightsTest {
  private static final String ALL =
      "say([l for l in open('/proc/self/status') if l[:3] in ('Uid','Gid','Gro','Cap','NoN','Sec')]"
          + "+[libc.prctl(27,0,0,0,0),os.getcwd(),n])";

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

  static Stream<Arguments> rights() {
    return Stream.of(
        Arguments.of("root", 0, "pass"),
        Arguments.of("no_new_privs", 0, "prctl(38,1)"),
        Arguments.of("bounded", 0, "prctl(24,7); prctl(24,1)"),
        Arguments.of("no capability", 0, "caps(0,0,0)"),
        Arguments.of("effective lowered", 0, "caps(1,0xc1,0)"),
        Arguments.of("user", 1000, "pass"),
        Arguments.of("user, no_new_privs", 1000, "prctl(38,1)"),
        Arguments.of(
            "became user", 0, "os.setgroups([5,6]); os.setresgid(7,7,7); os.setresuid(8,8,8)"),
        Arguments.of("saved user", 0, "os.setresuid(1000,1000,0)"),
        Arguments.of("user with capability", 0, "prctl(8,1); os.setresuid(9,9,9); caps(2,3,0)"),
        Arguments.of("ambient", 0, "prctl(8,1); os.setresuid(9,9,9); caps(3,3,3); prctl(47,2,1)"),
        Arguments.of("secure bits", 0, "prctl(28,0x2f)"),
        Arguments.of(
            "secure bits, user", 0, "prctl(28,0xc0|0x10); os.setresuid(9,9,9); caps(0,0,0)"));
  }

  private static TestPython start(Sandbox sandbox, int uid, String setUp) throws Exception {
    sandbox.checking(true);
    TestPython python = TestPython.start(sandbox, uid);
    assertThat(python.ask("os.chdir('/tmp'); n=5; " + setUp + "; say('x')")).isEqualTo("x");
    return python;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rights")
  void rollback_killed_hasTheSameRights(String name, int uid, String setUp) throws Exception {
    try (Sandbox sandbox = box.create(SandboxSpec.defaults())) {
      TestPython python = start(sandbox, uid, setUp);
      String before = python.ask(ALL);
      Snapshot then = sandbox.checkpoint("then");
      for (int round = 0; round < 2; round++) {
        python.exec().kill();
        python.exec().waitFor();
        assertThat(sandbox.rollback(then).processesMade()).isEqualTo(2);
        assertThat(python.ask(ALL)).isEqualTo(before);
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rights")
  void rollback_runsAnotherProgram_runsTheOldOneAgain(String name, int uid, String setUp)
      throws Exception {
    try (Sandbox sandbox = box.create(SandboxSpec.defaults())) {
      TestPython python = start(sandbox, uid, setUp);
      String before = python.ask(ALL);
      Snapshot then = sandbox.checkpoint("then");
      for (int round = 0; round < 2; round++) {
        assertThat(python.ask("os.execv('/bin/sh',['sh','-c','echo up; exec sleep 1000'])"))
            .isEqualTo("up");
        sandbox.rollback(then);
        assertThat(python.ask(ALL)).isEqualTo(before);
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rights")
  void restore_ofAnyRights_hasTheSame(String name, int uid, String setUp) throws Exception {
    try (Sandbox sandbox = box.create(SandboxSpec.defaults())) {
      TestPython python = start(sandbox, uid, setUp);
      String before = python.ask(ALL);
      Snapshot then = sandbox.checkpoint("then");
      try (Sandbox made = box.restore(then, null)) {
        assertThat(python.in(made).ask(ALL)).isEqualTo(before);
        python.in(made).exec().kill();
        assertThat(made.rollback(then).processesMade()).isPositive();
        assertThat(python.in(made).ask(ALL)).isEqualTo(before);
      }
    }
  }
}
