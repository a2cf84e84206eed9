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

/** New sandboxes from snapshots. */
@Timeout(120)
final class RestoreTest {
  private static final String COUNTER =
      "n=0; while read line; do n=$((n+1)); echo $n $line; echo $n > /tmp/count; done; exit $n";

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
  void restore_sourceRunsOn_bothGoTheirOwnWay() throws Exception {
    try (Sandbox source = box.create(SandboxSpec.defaults())) {
      source.checking(true);
      Exec counter = source.start(ExecSpec.of("bash", "-c", COUNTER));
      InputStream out = counter.stdout();
      assertThat(ask(counter, out, "a")).isEqualTo("1 a");
      Snapshot then = source.checkpoint("then");
      assertThat(ask(counter, out, "b")).isEqualTo("2 b");
      try (Sandbox made = box.restore(then, "made")) {
        Exec again = made.exec(counter.id());
        InputStream outAgain = again.stdout();
        assertThat(again.pid()).isEqualTo(counter.pid());
        assertThat(ask(again, outAgain, "x")).isEqualTo("2 x");
        assertThat(ask(counter, out, "c")).isEqualTo("3 c");
        assertThat(made.exec("cat", "/tmp/count").stdout()).isEqualTo("2\n");
        assertThat(source.exec("cat", "/tmp/count").stdout()).isEqualTo("3\n");
        Snapshot later = made.checkpoint("later");
        assertThat(ask(again, outAgain, "y")).isEqualTo("3 y");
        made.rollback(then);
        assertThat(ask(again, outAgain, "z")).isEqualTo("2 z");
        made.rollback(later);
        try (OutputStream in = again.stdin()) {
          in.flush();
        }
        assertThat(again.waitFor()).isEqualTo(new ExecStatus(Outcome.EXITED, 2));
      }
      assertThat(ask(counter, out, "d")).isEqualTo("4 d");
    }
  }

  @Test
  void restore_sourceEnded_namedSnapshotsOutlive() throws Exception {
    Snapshot named;
    Snapshot unnamed;
    Exec counter;
    try (Sandbox source = box.create(SandboxSpec.defaults())) {
      counter = source.start(ExecSpec.of("bash", "-c", COUNTER));
      assertThat(ask(counter, counter.stdout(), "a")).isEqualTo("1 a");
      named = source.checkpoint("kept");
      source.exec("touch", "/tmp/other");
      unnamed = source.checkpoint();
    }
    assertThat(box.snapshots()).contains(named).doesNotContain(unnamed);
    assertThatThrownBy(() -> box.restore(unnamed, null)).isInstanceOf(NotFoundException.class);
    for (int round = 0; round < 3; round++) {
      try (Sandbox made = box.restore(named, null)) {
        Exec again = made.exec(counter.id());
        assertThat(ask(again, again.stdout(), "x")).isEqualTo("2 x");
      }
    }
    box.forget(named);
    assertThatThrownBy(() -> box.restore(named, null)).isInstanceOf(NotFoundException.class);
  }

  @Test
  void restore_largeMemory_isTheSame() throws Exception {
    String program =
        """
        import hashlib, os, sys
        m = bytearray(os.urandom(1 << 20) * 48)
        for line in sys.stdin:
          m[int(line)] ^= 1
          print(hashlib.blake2b(m).hexdigest(), flush=True)
        """;
    try (Sandbox source = box.create(SandboxSpec.defaults())) {
      source.checking(true);
      Exec python = source.start(ExecSpec.of("/usr/bin/python3", "-c", program));
      InputStream out = python.stdout();
      ask(python, out, "5");
      Snapshot then = source.checkpoint("large");
      String digest = ask(python, out, "40000000");
      try (Sandbox made = box.restore(then, null)) {
        Exec again = made.exec(python.id());
        InputStream outAgain = again.stdout();
        assertThat(ask(again, outAgain, "40000000")).isEqualTo(digest);
        // What was placed is tracked like everything else.
        Snapshot later = made.checkpoint("later");
        assertThat(later.stats().pageCount()).isLessThan(2000);
        made.rollback(then);
        assertThat(ask(again, outAgain, "40000000")).isEqualTo(digest);
      }
    }
  }
}
