package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.ExecStatus.Outcome;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

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
    return line(out);
  }

  private static String line(InputStream out) throws Exception {
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

  /** How a file of the host changes under a snapshot that uses it. */
  enum Change {
    WRITTEN {
      @Override
      void to(Path file) throws Exception {
        Files.writeString(file, "y", StandardOpenOption.APPEND);
      }
    },
    SAME_SIZE_AND_TIME {
      @Override
      void to(Path file) throws Exception {
        FileTime time = Files.getLastModifiedTime(file);
        Files.writeString(file, "y".repeat((int) Files.size(file)));
        Files.setLastModifiedTime(file, time);
      }
    },
    REPLACED {
      @Override
      void to(Path file) throws Exception {
        Path other = Files.copy(file, file.resolveSibling("other"));
        Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
      }
    },
    REMOVED {
      @Override
      void to(Path file) throws Exception {
        Files.delete(file);
      }
    };

    abstract void to(Path file) throws Exception;
  }

  private static final String READER =
      """
      import mmap,sys
      f=open(sys.argv[2],'rb')
      m=mmap.mmap(f.fileno(),0,access=mmap.ACCESS_COPY)
      if sys.argv[1]=='open': m=None
      else: f=None
      print('up',flush=True)
      for line in sys.stdin: print(m[0] if m else f.read(1),flush=True)
      """;

  /** In the base of every sandbox, or shown to one. */
  static Stream<Arguments> changes() {
    return Stream.of(Change.values())
        .flatMap(
            change ->
                Stream.of("open", "mapped")
                    .flatMap(
                        how ->
                            Stream.of("/usr/local/share", "/var/tmp")
                                .map(place -> Arguments.of(change, how, place))));
  }

  @ParameterizedTest
  @MethodSource("changes")
  void restore_baseChangedSince_isRefusedByName(Change change, String how, String place)
      throws Exception {
    Path shown = Files.createTempDirectory(Path.of(place), "deltabox-test-");
    Files.setPosixFilePermissions(shown, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path file = Files.writeString(shown.resolve("page"), "x".repeat(8192));
    SandboxSpec.Builder spec = SandboxSpec.builder();
    try (Sandbox source =
        box.create(
            place.startsWith("/usr") ? spec.build() : spec.expose(shown.toString()).build())) {
      Exec reader =
          source.start(ExecSpec.of("/usr/bin/python3", "-c", READER, how, file.toString()));
      InputStream out = reader.stdout();
      assertThat(line(out)).isEqualTo("up");
      Snapshot then = source.checkpoint("then");
      box.restore(then, null).close();
      change.to(file);
      assertThatThrownBy(() -> box.restore(then, null))
          .hasMessageStartingWith("restore refused, nothing was made")
          .hasMessageContaining("path=" + file + " found=");
      assertThat(ask(reader, out, "a")).isNotEmpty();
      if (change != Change.REMOVED) {
        assertThat(source.rollback(then).rebuilt()).isFalse();
        assertThat(ask(reader, out, "b")).isNotEmpty();
      }
    } finally {
      Files.deleteIfExists(file);
      Files.delete(shown);
    }
  }
}
