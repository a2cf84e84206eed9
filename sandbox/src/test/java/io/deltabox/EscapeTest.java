package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Nothing inside gets out, as root of the sandbox and as an ordinary user of it. */
@Timeout(240)
final class EscapeTest {
  private static final int ATTEMPTS_MIN = 80;

  @TempDir static Path directory;
  private static DeltaBox box;
  private static Sandbox sandbox;
  private static Process listener;

  @BeforeAll
  static void open() throws Exception {
    box = TestBox.open(directory);
    Path program = TestPrograms.compile("escape", directory);
    sandbox = box.create(SandboxSpec.defaults());
    TestPrograms.copyIn(sandbox, program, "/usr/bin/escape");
    listener = new ProcessBuilder(program.toString(), "listen", socketName()).start();
    String line =
        new BufferedReader(new InputStreamReader(listener.getInputStream(), StandardCharsets.UTF_8))
            .readLine();
    assertThat(line).isEqualTo("listening");
  }

  @AfterAll
  static void close() {
    if (listener != null) {
      listener.destroyForcibly();
    }
    if (box != null) {
      box.close();
    }
  }

  private static String socketName() {
    return "deltabox-escape-" + ProcessHandle.current().pid();
  }

  private static List<String> attempts(int uid) throws Exception {
    ExecResult result =
        sandbox.exec(ExecSpec.builder("escape", socketName()).user(uid, uid).build());
    return result.stdout().lines().toList();
  }

  @Test
  void escape_asRoot_everyAttemptFails() throws Exception {
    assertThat(attempts(0))
        .hasSizeGreaterThan(ATTEMPTS_MIN)
        .allMatch(l -> l.startsWith("refused "));
  }

  @Test
  void escape_asUser_everyAttemptFails() throws Exception {
    assertThat(attempts(1000))
        .hasSizeGreaterThan(ATTEMPTS_MIN)
        .allMatch(l -> l.startsWith("refused "));
  }

  @Test
  void escape_foreignCalls_kill() throws Exception {
    assertThat(attempts(0)).contains("refused call_i386 signal 31", "refused call_x32 signal 31");
  }

  @Test
  void initProcess_attacked_goesOn() throws Exception {
    sandbox.exec("sh", "-c", "kill -KILL 1; kill -STOP 1; kill -TERM 1; kill -SEGV 1");
    assertThat(sandbox.exec("echo", "alive").stdout()).isEqualTo("alive\n");
  }

  @Test
  void killAllInside_asRoot_sandboxGoesOn() throws Exception {
    try (Sandbox other = box.create(SandboxSpec.defaults())) {
      other.exec("sh", "-c", "kill -KILL -1");
      assertThat(other.exec("echo", "alive").stdout()).isEqualTo("alive\n");
    }
  }

  /** Sets what is there already, so that it does no harm should it succeed. */
  @Test
  void nodeOfTheHost_throughAnInheritedDescriptor_cannotBeChanged() throws Exception {
    String change =
        "f=/proc/self/fd/0; chmod $(stat -Lc %a $f) $f; echo $?; chown $(stat -Lc %u $f) $f; echo $?";
    ExecResult result = sandbox.exec("sh", "-c", change);
    assertThat(result.stdout()).isEqualTo("1\n1\n");
    assertThat(result.stderr()).contains("Read-only file system");
    assertThat(sandbox.exec("readlink", "/proc/self/fd/0").stdout()).isEqualTo("/dev/null\n");
  }

  @Test
  void base_changedInside_hostIsUntouched() throws Exception {
    Path added = Path.of("/usr/bin/deltabox-escape-test");
    ExecResult result =
        sandbox.exec(
            "sh",
            "-c",
            "touch /usr/bin/deltabox-escape-test && rm /usr/bin/env && mv /usr/share /usr/share2"
                + " && echo x > /etc/passwd && ls /usr/share2 | wc -l");
    assertThat(result.stderr()).isEmpty();
    assertThat(Integer.parseInt(result.stdout().trim())).isPositive();
    assertThat(Files.exists(added, LinkOption.NOFOLLOW_LINKS)).isFalse();
    assertThat(Path.of("/usr/bin/env")).exists();
    assertThat(Path.of("/usr/share")).exists();
    assertThat(Files.readString(Path.of("/etc/passwd"))).isNotEqualTo("x\n");
  }

  @Test
  void rootDirectory_listed_showsOnlyTheAllowedNames() throws Exception {
    List<String> names = sandbox.exec("ls", "-A", "/").stdout().lines().toList();
    assertThat(names)
        .isSubsetOf(
            "bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "media", "mnt",
            "opt", "proc", "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var");
    assertThat(
            sandbox
                .exec("find", "/root", "/home", "/mnt", "/opt", "/srv", "/boot", "-type", "f")
                .stdout())
        .isEmpty();
  }

  @Test
  void mounts_listed_areNosuidAndNodevExceptDevices() throws Exception {
    for (String line : sandbox.exec("cat", "/proc/self/mounts").stdout().lines().toList()) {
      String[] words = line.split(" ");
      List<String> options = List.of(words[3].split(","));
      assertThat(options).as(line).contains("nosuid");
      // Covered files of /proc are clones of /dev/null.
      boolean device = words[1].startsWith("/dev") || options.contains("nr_inodes=64");
      if (!device) {
        assertThat(options).as(line).contains("nodev");
      }
    }
  }

  @Test
  void hostMounts_whileASandboxRuns_areUnchanged() throws Exception {
    String during = Files.readString(Path.of("/proc/self/mountinfo"));
    assertThat(during).doesNotContain("deltabox").doesNotContain("overlay /");
  }

  @Test
  void daemonEnvironment_inside_isNotSeen() throws Exception {
    assertThat(sandbox.exec("sh", "-c", "cat /proc/*/environ | tr '\\0' '\\n'").stdout())
        .doesNotContain("JAVA_HOME", "MAVEN");
  }

  @Test
  void traceMe_stops_areNoEndOfTheCommand() throws Exception {
    String program =
        """
        import ctypes, os, signal
        assert ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0
        os.kill(os.getpid(), signal.SIGWINCH)
        print('goes on')
        """;
    ExecResult result = sandbox.exec("/usr/bin/python3", "-c", program);
    assertThat(result.stdout()).isEqualTo("goes on\n");
    assertThat(result.status()).isEqualTo(new ExecStatus(ExecStatus.Outcome.EXITED, 0));
  }

  @Test
  void initCommandLine_inside_namesNoHostPath() throws Exception {
    assertThat(sandbox.exec("cat", "/proc/1/cmdline", "/proc/1/comm").stdout())
        .startsWith("deltabox-init")
        .doesNotContain("/");
  }

  @Test
  void hostname_ofItsOwn_resolves() throws Exception {
    try (Sandbox other = box.create(SandboxSpec.builder().hostname("crane-7").build())) {
      assertThat(
              other.exec("sh", "-c", "hostname; cat /etc/hostname; getent hosts crane-7").stdout())
          .isEqualTo("crane-7\ncrane-7\n127.0.0.1       localhost crane-7\n");
    }
  }

  /** Java names files by text of the locale; the kernel by any bytes but two. */
  @Test
  void hostRoot_getsANameThatIsNoText_hidesItFromOldAndNewSandboxes() throws Exception {
    String made = "mkdir \"$(printf '/deltabox-test-\\303\\251-\\377')\"";
    String names = sandbox.exec("ls", "/").stdout();
    assertThat(new ProcessBuilder("sh", "-c", made).start().waitFor()).isZero();
    try (Sandbox other = box.create(SandboxSpec.defaults())) {
      // The loop has turned at least once since then when a command has come and gone.
      sandbox.exec("true");
      assertThat(sandbox.exec("ls", "/").stdout()).isEqualTo(names);
      assertThat(other.exec("ls", "/").stdout()).isEqualTo(names);
    } finally {
      String gone = made.replace("mkdir", "rmdir");
      assertThat(new ProcessBuilder("sh", "-c", gone).start().waitFor()).isZero();
    }
  }
}
