package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.deltabox.capture.CaptureSource;
import io.deltabox.capture.Keeper;
import io.deltabox.capture.ObjectId;
import io.deltabox.capture.PageRun;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** New sandboxes from snapshots of which nothing is left but what a source holds. */
@Timeout(300)
final class SourceRestoreTest {
  private static final String READER =
      """
      import sys, time
      f = open('/usr/local/share/deltabox-source-test')
      print('up', flush=True)
      for line in sys.stdin: print(time.monotonic(), flush=True)
      """;

  private static final int READ_PAGES = 700;
  private static final long READ_BYTES = READ_PAGES * 4096L;

  @TempDir static Path directory;

  private static Exec reader(Sandbox sandbox) throws IOException {
    return sandbox.start(
        ExecSpec.builder("/usr/bin/python3", "-c", READER).stdin(ExecSpec.Stdin.PIPE).build());
  }

  private static double monotonic(Exec exec, InputStream out) throws IOException {
    exec.stdin().write("\n".getBytes(StandardCharsets.UTF_8));
    return Double.parseDouble(SeamTest.hear(out));
  }

  private static RestorePoint point(Sandbox sandbox, Snapshot snapshot, CaptureSource source)
      throws IOException {
    return Objects.requireNonNull(sandbox.restorePoint(snapshot)).in(source);
  }

  @Test
  void restore_sandboxAndKeeperGone_goesOnWithTheRightAnswers() throws Exception {
    KeptSnapshots kept = new KeptSnapshots();
    RestorePoint point;
    Exec program;
    String second;
    String third;
    try (DeltaBox box = TestBox.open(directory);
        Sandbox sandbox = box.create(SandboxSpec.defaults())) {
      sandbox.checking(true);
      sandbox.engine().passOnTo(kept);
      program = SeamTest.start(sandbox);
      InputStream out = program.stdout();
      assertThat(SeamTest.hear(out)).isEqualTo("ready");
      sandbox.checkpoint("zero");
      SeamTest.turn(program, out);
      Snapshot one = sandbox.checkpoint("one");
      second = SeamTest.turn(program, out);
      third = SeamTest.turn(program, out);
      point = point(sandbox, one, kept);
    }
    try (DeltaBox box = TestBox.open(directory)) {
      for (int round = 0; round < 2; round++) {
        try (Sandbox made = box.restore(point, null)) {
          Exec again = made.exec(program.id());
          InputStream out = again.stdout();
          assertThat(again.pid()).isEqualTo(program.pid());
          assertThat(SeamTest.turn(again, out)).isEqualTo(second);
          // What came from the source is the parent of what follows.
          int deltas = kept.deltas();
          made.engine().passOnTo(kept);
          Snapshot two = made.checkpoint();
          assertThat(kept.deltas()).isEqualTo(deltas + 1);
          assertThat(SeamTest.turn(again, out)).isEqualTo(third);
          made.rollback(point.snapshot());
          assertThat(SeamTest.turn(again, out)).isEqualTo(second);
          made.rollback(two);
          assertThat(SeamTest.turn(again, out)).isEqualTo(third);
        }
      }
    }
  }

  /** What happens in the middle of the pages of the first process that has as many. */
  private interface Middle {
    void reached() throws IOException;
  }

  private static final class Disturbed implements CaptureSource {
    private final CaptureSource whole;
    private final Middle middle;
    private boolean hit;

    Disturbed(CaptureSource whole, Middle middle) {
      this.whole = whole;
      this.middle = middle;
    }

    @Override
    public void prefetch(UUID snapshot) {}

    @Override
    public void records(UUID snapshot, RecordVisitor to) throws IOException {
      whole.records(snapshot, to);
    }

    @Override
    public void pages(UUID snapshot, int process, PageRun range, PageVisitor to)
        throws IOException {
      int[] seen = {0};
      whole.pages(
          snapshot,
          process,
          range,
          (runs, bytes) -> {
            if (seen[0]++ == READ_PAGES && !hit) {
              hit = true;
              middle.reached();
            }
            to.pages(runs, bytes);
          });
    }

    @Override
    public void shared(UUID snapshot, ObjectId object, PageRun range, PageVisitor to)
        throws IOException {
      whole.shared(snapshot, object, range, to);
    }

    @Override
    public void files(UUID snapshot, FileVisitor to) throws IOException {
      whole.files(snapshot, to);
    }
  }

  @Test
  void restore_sourceDamaged_saysSoAndLeavesNothing() throws Exception {
    KeptSnapshots kept = new KeptSnapshots();
    try (DeltaBox box = TestBox.open(directory);
        Sandbox sandbox = box.create(SandboxSpec.defaults())) {
      Exec program = SeamTest.start(sandbox);
      InputStream out = program.stdout();
      assertThat(SeamTest.hear(out)).isEqualTo("ready");
      sandbox.engine().passOnTo(kept);
      Snapshot one = sandbox.checkpoint("one");
      RestorePoint point = point(sandbox, one, kept);
      Keeper keeper = sandbox.engine().keeper();
      // A failure also frees what nothing needed before.
      assertThatThrownBy(() -> box.restore(point.in(new KeptSnapshots()), null))
          .hasMessageContaining("no such snapshot");
      long used = keeper.bytesUsed();
      Disturbed damaged =
          new Disturbed(
              kept,
              () -> {
                throw new IOException("read chunk failed: checksum does not match, id=abc");
              });
      assertThatThrownBy(() -> box.restore(point.in(damaged), null))
          .hasMessageContaining("checksum does not match, id=abc");
      assertThat(damaged.hit).isTrue();
      assertThat(box.sandboxes()).containsExactly(sandbox);
      // What was read before the damage is more than the sandbox itself writes meanwhile.
      assertThat(keeper.bytesUsed()).isCloseTo(used, within(READ_BYTES / 4));
      try (Sandbox made = box.restore(point, null)) {
        Exec again = made.exec(program.id());
        assertThat(SeamTest.turn(again, again.stdout())).isEqualTo(SeamTest.turn(program, out));
      }
    }
  }

  @Test
  void restore_sourceSlow_nobodyElseWaitsAndNothingReadIsFreed() throws Exception {
    KeptSnapshots kept = new KeptSnapshots();
    try (DeltaBox box = TestBox.open(directory);
        Sandbox sandbox = box.create(SandboxSpec.defaults())) {
      Exec program = SeamTest.start(sandbox);
      InputStream out = program.stdout();
      assertThat(SeamTest.hear(out)).isEqualTo("ready");
      sandbox.engine().passOnTo(kept);
      Snapshot one = sandbox.checkpoint("one");
      sandbox.engine().passOnTo(null);
      RestorePoint point = point(sandbox, one, kept);
      String second = SeamTest.turn(program, out);
      sandbox.checkpoint("two");
      // While pages come, another sandbox forgets a snapshot, which frees contents, and saves.
      Disturbed slow =
          new Disturbed(
              kept,
              () -> {
                CompletableFuture<Snapshot> other =
                    CompletableFuture.supplyAsync(
                        () -> {
                          try {
                            sandbox.remove("one");
                            SeamTest.turn(program, out);
                            return sandbox.checkpoint("three");
                          } catch (IOException e) {
                            throw new UncheckedIOException(e);
                          }
                        });
                assertThat(other).succeedsWithin(Duration.ofSeconds(60));
              });
      try (Sandbox made = box.restore(point.in(slow), null)) {
        assertThat(slow.hit).isTrue();
        Exec again = made.exec(program.id());
        assertThat(SeamTest.turn(again, again.stdout())).isEqualTo(second);
      }
    }
  }

  @Test
  void restore_baseChangedSince_isRefusedAndClocksGoOnElse() throws Exception {
    KeptSnapshots kept = new KeptSnapshots();
    Path file = Path.of("/usr/local/share/deltabox-source-test");
    Files.writeString(file, "x".repeat(8192));
    try {
      RestorePoint point;
      Exec reader;
      double then;
      try (DeltaBox box = TestBox.open(directory);
          Sandbox sandbox = box.create(SandboxSpec.defaults())) {
        sandbox.engine().passOnTo(kept);
        reader = reader(sandbox);
        InputStream out = reader.stdout();
        assertThat(SeamTest.hear(out)).isEqualTo("up");
        then = monotonic(reader, out);
        point = point(sandbox, sandbox.checkpoint("one"), kept);
      }
      double later;
      try (DeltaBox box = TestBox.open(directory)) {
        double machine = System.nanoTime() / 1e9;
        try (Sandbox made = box.restore(point, null)) {
          Exec again = made.exec(reader.id());
          later = monotonic(again, again.stdout());
          double took = System.nanoTime() / 1e9 - machine;
          assertThat(later - then).isPositive().isLessThan(took + 1);
        }
        Files.writeString(file, "y".repeat(8192));
        assertThatThrownBy(() -> box.restore(point, null))
            .hasMessageStartingWith("restore refused, nothing was made")
            .hasMessageContaining("path=" + file + " found=");
        assertThat(box.sandboxes()).isEmpty();
      }
    } finally {
      Files.deleteIfExists(file);
    }
  }
}
