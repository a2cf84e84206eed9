package io.deltabox.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.Sandbox;
import io.deltabox.Snapshot;
import io.deltabox.Undo;
import io.deltabox.capture.CaptureException;
import io.deltabox.capture.CapturePhase;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Faults at random places of a sandbox's life: an operation fails on entering some phase, or a
 * process of the sandbox is killed there, stopped or not. Whatever becomes of the operation, the
 * sandbox lives, and every snapshot can be gone back to, as the independent reader proves.
 */
@Timeout(900)
final class RandomFaultTest {
  private static final int FAULTS = Settings.count(10, 100);
  private static final int SNAPSHOTS_MAX = 12;
  private static final int RUN_MILLIS_MAX = 15;
  private static final String FAULT = "fault put in by a test";
  private static final long SEED = Settings.seed("random-faults");

  private static TestBox box;

  @BeforeAll
  static void open() throws IOException {
    box = TestBox.open();
  }

  @AfterAll
  static void close() throws IOException {
    if (box != null) {
      box.close();
    }
  }

  private enum Kind {
    THROW,
    KILL
  }

  /** One fault, at the n-th phase that is entered from now on. */
  private static final class Fault implements CapturePhase.Hook {
    private final Kind kind;
    private final Random random;
    private int left;
    private String done = "";

    Fault(Kind kind, int left, Random random) {
      this.kind = kind;
      this.left = left;
      this.random = random;
    }

    @Override
    public void enter(CapturePhase phase) throws CaptureException {
      if (left-- != 0) {
        return;
      }
      done = kind + " " + phase;
      if (kind == Kind.THROW) {
        throw new CaptureException(FAULT + ": phase=" + phase);
      }
      List<ProcessHandle> inside = inside();
      if (!inside.isEmpty()) {
        inside.get(random.nextInt(inside.size())).destroyForcibly();
      }
    }
  }

  /** Processes of the only sandbox there is, without its pid 1. */
  private static List<ProcessHandle> inside() {
    return ProcessHandle.current().descendants().filter(RandomFaultTest::isInside).toList();
  }

  private static boolean isInside(ProcessHandle process) {
    try (Stream<String> lines =
        Files.lines(Path.of("/proc", Long.toString(process.pid()), "status"))) {
      // The last number is the one in the innermost namespace.
      String numbers = lines.filter(line -> line.startsWith("NSpid:")).findFirst().orElse("1");
      return !numbers.endsWith("\t1") && numbers.indexOf('\t') != numbers.lastIndexOf('\t');
    } catch (IOException | UncheckedIOException e) {
      return false;
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"memory-tree", "bash"})
  void faults_atRandomPlaces_leaveEverySnapshotWhole(String name) throws Exception {
    Program program = Program.named(name, box.probes(), SEED);
    Random random = Settings.random(SEED, name);
    try (Sandbox sandbox = box.createChecked();
        Talk talk = TestBox.start(sandbox, program.spec())) {
      List<Snapshot> snapshots = new ArrayList<>(List.of(sandbox.checkpoint()));
      int faults = 0;
      int rebuilt = 0;
      while (faults < FAULTS) {
        run(random);
        Fault fault = new Fault(Kind.values()[random.nextInt(2)], random.nextInt(13), random);
        sandbox.onPhase(fault);
        rebuilt += operation(sandbox, snapshots, random, fault) ? 1 : 0;
        sandbox.onPhase(CapturePhase.Hook.NONE);
        faults += fault.done.isEmpty() ? 0 : 1;
        assertThat(sandbox.running()).as("alive after %s", fault.done).isTrue();
        run(random);
        proveOne(sandbox, snapshots, random, fault);
        if (random.nextInt(3) == 0) {
          run(random);
          add(snapshots, sandbox.checkpoint());
        }
        while (snapshots.size() > SNAPSHOTS_MAX) {
          sandbox.remove(snapshots.remove(random.nextInt(snapshots.size() - 1)).id().toString());
        }
        assertThat(talk.overheard()).as("after %s", fault.done).isNull();
      }
      System.out.println("FAULTS " + name + " " + faults + " rebuilt=" + rebuilt);
    }
  }

  /** True if the sandbox was built anew. */
  private static boolean operation(
      Sandbox sandbox, List<Snapshot> snapshots, Random random, Fault fault) throws IOException {
    try {
      if (random.nextInt(3) == 0) {
        add(snapshots, sandbox.checkpoint());
        return false;
      }
      return sandbox.rollback(one(snapshots, random).id().toString(), Undo.NONE).rebuilt();
    } catch (CaptureException e) {
      assertThat(fault.done).as(String.valueOf(e.getMessage())).isNotEmpty();
    } catch (IOException e) {
      // The reader misses what was killed after it had been put back.
      assertThat(fault.kind).as("%s: %s", fault.done, e.getMessage()).isEqualTo(Kind.KILL);
    }
    return false;
  }

  private static void proveOne(
      Sandbox sandbox, List<Snapshot> snapshots, Random random, Fault fault) {
    try {
      sandbox.rollback(one(snapshots, random).id().toString(), Undo.NONE);
    } catch (IOException e) {
      throw new AssertionError("rollback after the fault: " + fault.done, e);
    }
  }

  /** Where nothing has changed, a checkpoint answers the snapshot that is there. */
  private static void add(List<Snapshot> snapshots, Snapshot made) {
    if (snapshots.stream().noneMatch(s -> s.id().equals(made.id()))) {
      snapshots.add(made);
    }
  }

  private static Snapshot one(List<Snapshot> snapshots, Random random) {
    return snapshots.get(random.nextInt(snapshots.size()));
  }

  private static void run(Random random) {
    LockSupport.parkNanos(random.nextInt(RUN_MILLIS_MAX * 1000) * 1000L);
  }
}
