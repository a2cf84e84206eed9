package io.deltabox.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The checker against a plain process stopped by a signal: it must agree with itself, and see each
 * single thing that is changed.
 */
final class OracleTest {
  private static final String PROGRAM =
      """
      import os, sys, ctypes, threading, signal
      directory = sys.argv[1]
      os.chdir(directory)
      kept = ctypes.create_string_buffer(b'A' * 65536)
      file = open('kept', 'w+'); file.write('0123456789'); file.flush()
      reader, writer = os.pipe()
      os.write(writer, b'queued')
      copy = os.dup(file.fileno())
      threading.Thread(target=signal.pause, daemon=True).start()
      print(os.getpid(), ctypes.addressof(kept), file.fileno(), flush=True)
      for line in sys.stdin:
          exec(line)
          print('done', flush=True)
      """;

  @TempDir Path directory;

  private Process process;
  private BufferedReader answers;
  private int initPid;
  private int pid;
  private long address;
  private final Oracle oracle = new Oracle(scope());

  private static Scope scope() {
    // Outside a sandbox the whole machine would be walked; the tree has a test of its own.
    return Scope.writable()
        .without(
            Set.of(
                "/dev/shm",
                "/etc",
                "/home",
                "/root",
                "/var",
                "/run",
                "/srv",
                "/opt",
                "/work",
                "/boot",
                "/media",
                "/mnt",
                "/lost+found",
                "/tmp"));
  }

  @BeforeEach
  void start() throws Exception {
    boolean root = "root".equals(System.getProperty("user.name"));
    if (!root) {
      System.out.println("UNAVAILABLE: reading other processes needs root");
    }
    Assumptions.assumeTrue(root);
    process =
        new ProcessBuilder(
                "unshare",
                "--pid",
                "--fork",
                "--mount-proc",
                "--kill-child",
                "sh",
                "-c",
                "/usr/bin/python3 -c \"$0\" \"$1\"; true",
                PROGRAM,
                directory.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    answers =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String[] hello = answers.readLine().split(" ");
    assertThat(hello[0]).isEqualTo("2");
    address = Long.parseLong(hello[1]);
    initPid = child((int) process.pid());
    pid = child(initPid);
  }

  @AfterEach
  void end() throws Exception {
    if (process != null) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
    }
  }

  private static int child(int of) throws IOException {
    return Integer.parseInt(
        Files.readString(Path.of("/proc/" + of + "/task/" + of + "/children")).trim());
  }

  private void signal(String name) throws Exception {
    new ProcessBuilder("kill", "-" + name, String.valueOf(pid)).start().waitFor();
    String wanted = name.equals("STOP") ? "T" : "";
    while (!wanted.isEmpty()
        && !Files.readString(Path.of("/proc/" + pid + "/status")).contains("State:\t" + wanted)) {
      Thread.onSpinWait();
    }
  }

  private void run(String statement) throws Exception {
    process.getOutputStream().write((statement + "\n").getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().flush();
    assertThat(answers.readLine()).isEqualTo("done");
  }

  private List<Difference> after(String statement) throws Exception {
    signal("STOP");
    Image before = oracle.image(initPid);
    signal("CONT");
    run(statement);
    signal("STOP");
    List<Difference> found = before.compare(oracle.image(initPid));
    signal("CONT");
    return found;
  }

  @Test
  void image_takenTwice_isEqualAndCoversTheProcess() throws Exception {
    signal("STOP");
    Image image = oracle.image(initPid);
    assertThat(image.compare(oracle.image(initPid))).isEmpty();
    assertThat(image.processCount()).isEqualTo(1);
    assertThat(image.pageCount()).isGreaterThan(500);
  }

  @Test
  void compare_oneByteWritten_namesThePage() throws Exception {
    signal("STOP");
    Image before = oracle.image(initPid);
    try (RandomAccessFile memory = new RandomAccessFile("/proc/" + pid + "/mem", "rw")) {
      memory.seek(address + 5000);
      memory.write('B');
    }
    List<Difference> found = before.compare(oracle.image(initPid));
    assertThat(found).hasSize(1);
    assertThat(found.get(0).what())
        .isEqualTo("page 0x" + Long.toHexString((address + 5000) / 4096 * 4096));
  }

  @Test
  void compare_afterEachChange_seesIt() throws Exception {
    assertThat(after("file.seek(3)")).anyMatch(d -> d.what().matches("descriptor \\d+ info"));
    assertThat(after("os.write(writer, b'x')")).anyMatch(d -> d.found().contains("queued=7"));
    assertThat(after("os.dup2(os.open('kept', os.O_RDWR), copy)"))
        .anyMatch(d -> d.what().matches("descriptor \\d+ description"));
    assertThat(after("os.umask(0o77)")).anyMatch(d -> d.what().equals("Umask"));
    assertThat(after("os.chdir('/')")).anyMatch(d -> d.what().equals("cwd"));
    assertThat(after("signal.signal(signal.SIGUSR1, signal.SIG_IGN)"))
        .anyMatch(d -> d.what().equals("SigIgn"));
    assertThat(after("signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])"))
        .anyMatch(d -> d.what().equals("thread 2 SigBlk"));
    assertThat(after("import mmap; more = mmap.mmap(-1, 1 << 20)"))
        .anyMatch(d -> d.what().startsWith("region 0x"));
    assertThat(after("more[4096] = 1")).anyMatch(d -> d.what().startsWith("page 0x"));
    assertThat(after("threading.Thread(target=signal.pause, daemon=True).start()"))
        .anyMatch(d -> d.what().equals("Threads"));
    assertThat(after("child = os.fork() or signal.pause()"))
        .anyMatch(d -> d.what().equals("process"));
  }
}
