package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.capture.CaptureException;
import io.deltabox.capture.CapturePhase;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The kernel gives the device numbers of a container to a later one. Whatever a snapshot knows by
 * number must not be taken for something of another container that has the same number by now.
 */
@Timeout(120)
final class DeviceReuseTest {
  /**
   * {@code make N} maps a new file of its own inode number N, or whichever is free if N is 0, and
   * takes its name and descriptor away.
   */
  private static final String PROGRAM =
      """
      import mmap, os, sys
      maps = []
      def make(wanted):
        for i in range(100000):
          fd = os.open('/tmp/file', os.O_RDWR | os.O_CREAT | os.O_EXCL)
          os.unlink('/tmp/file')
          stat = os.fstat(fd)
          if wanted == 0 and i > 3000 or stat.st_ino == wanted:
            os.ftruncate(fd, 4096)
            maps.append(mmap.mmap(fd, 4096))
            os.close(fd)
            return '%d %d' % (stat.st_dev, stat.st_ino)
          os.close(fd)
          if stat.st_ino > wanted > 0:
            return 'past %d' % stat.st_ino
      for line in sys.stdin:
        words = line.split()
        if words[0] == 'make':
          print(make(int(words[1])), flush=True)
        if words[0] == 'write':
          maps[int(words[1])][0:5] = words[2].encode()
          print('ok', flush=True)
        if words[0] == 'read':
          print(' '.join(m[0:5].decode() for m in maps), flush=True)
      """;

  private static final int TRIES = 6;

  /** Another sandbox of this machine may have taken the number: then all begins anew. */
  private static final int ATTEMPTS = 6;

  /** The kernel has given the number to somebody else. */
  private static final class NumberTakenException extends Exception {
    private static final long serialVersionUID = 1L;

    NumberTakenException(String number) {
      super("device=" + number);
    }
  }

  private interface Scenario {
    void run() throws Exception;
  }

  private static void attempt(Scenario scenario) throws Exception {
    for (int i = 1; ; i++) {
      try {
        scenario.run();
        return;
      } catch (NumberTakenException e) {
        assertThat(i).as("attempts, the last for " + e.getMessage()).isLessThan(ATTEMPTS);
      }
    }
  }

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

  private static String device(Sandbox sandbox) throws Exception {
    sandbox.exec("touch", "/tmp/probe");
    return sandbox.exec("stat", "-c", "%d", "/tmp/probe").stdout().trim();
  }

  /** Another sandbox of the same snapshot, until one has the device number wanted. */
  private static Sandbox restoreUnder(String number, Snapshot snapshot) throws Exception {
    for (int i = 0; i < TRIES; i++) {
      Sandbox made = box.restore(snapshot, null);
      if (device(made).equals(number)) {
        return made;
      }
      made.close();
    }
    throw new NumberTakenException(number);
  }

  @Test
  void restore_numbersUsedAgain_newFileIsNotTheOldOne() throws Exception {
    attempt(DeviceReuseTest::newFileInRestored);
  }

  private static void newFileInRestored() throws Exception {
    Snapshot then;
    int id;
    String[] one;
    try (Sandbox source = box.create(SandboxSpec.defaults())) {
      Exec program = source.start(ExecSpec.of("/usr/bin/python3", "-c", PROGRAM));
      id = program.id();
      InputStream out = program.stdout();
      // The files are looked at for the first time before the program makes and removes some.
      source.checkpoint("opened");
      one = ask(program, out, "make 0").split(" ");
      ask(program, out, "write 0 first");
      then = source.checkpoint("reused");
    }
    try (Sandbox made = restoreUnder(one[0], then)) {
      made.checking(true);
      Exec program = made.exec(id);
      InputStream out = program.stdout();
      assertThat(ask(program, out, "read")).isEqualTo("first");
      assertThat(ask(program, out, "make " + one[1])).isEqualTo(String.join(" ", one));
      ask(program, out, "write 1 other");
      assertThat(ask(program, out, "read")).isEqualTo("first other");
      Snapshot both = made.checkpoint("both");
      ask(program, out, "write 0 wrong");
      ask(program, out, "write 1 wrong");
      made.rollback(both);
      assertThat(ask(program, out, "read")).isEqualTo("first other");
      made.rollback(then);
      assertThat(ask(program, out, "read")).isEqualTo("first");
      made.rollback(both);
      assertThat(ask(program, out, "read")).isEqualTo("first other");
    } finally {
      box.forget(then);
    }
  }

  /** A rollback that fails half-way is finished by a new container. */
  private static void rebuild(Sandbox sandbox, Snapshot to) throws Exception {
    boolean[] failed = new boolean[1];
    sandbox
        .engine()
        .onPhase(
            phase -> {
              if (phase == CapturePhase.ROLLBACK_REGISTERS && !failed[0]) {
                failed[0] = true;
                throw new CaptureException("fault of the test");
              }
            });
    try {
      sandbox.rollback(to);
    } finally {
      sandbox.engine().onPhase(CapturePhase.Hook.NONE);
    }
    assertThat(failed[0]).isTrue();
  }

  @Test
  void rebuild_untilNumbersAreUsedAgain_everySnapshotIsExact() throws Exception {
    attempt(DeviceReuseTest::everySnapshotAfterRebuilds);
  }

  private static void everySnapshotAfterRebuilds() throws Exception {
    try (Sandbox sandbox = box.create(SandboxSpec.defaults())) {
      sandbox.checking(true);
      Exec program = sandbox.start(ExecSpec.of("/usr/bin/python3", "-c", PROGRAM));
      InputStream out = program.stdout();
      sandbox.checkpoint("opened");
      String[] one = ask(program, out, "make 0").split(" ");
      ask(program, out, "write 0 first");
      Snapshot first = sandbox.checkpoint("first");
      ask(program, out, "write 0 later");
      Snapshot later = sandbox.checkpoint("later");
      int rebuilt = 0;
      do {
        rebuild(sandbox, rebuilt % 2 == 0 ? first : later);
        if (++rebuilt == TRIES) {
          throw new NumberTakenException(one[0]);
        }
      } while (!device(sandbox).equals(one[0]) || rebuilt < 2);
      sandbox.rollback(first);
      assertThat(ask(program, out, "make " + one[1])).isEqualTo(String.join(" ", one));
      ask(program, out, "write 1 other");
      Snapshot both = sandbox.checkpoint("both");
      Map<Snapshot, String> expected = Map.of(first, "first", later, "later", both, "first other");
      for (Snapshot to : List.of(later, both, first, both)) {
        sandbox.rollback(to);
        assertThat(ask(program, out, "read")).isEqualTo(expected.get(to));
        ask(program, out, "write 0 wrong");
      }
      rebuild(sandbox, both);
      assertThat(ask(program, out, "read")).isEqualTo("first other");
      sandbox.rollback(later);
      assertThat(ask(program, out, "read")).isEqualTo("later");
    }
  }
}
