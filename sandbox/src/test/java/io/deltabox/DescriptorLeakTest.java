package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Commands and sandboxes give back every descriptor of this process, also after failures. */
@Timeout(240)
final class DescriptorLeakTest {
  @TempDir Path directory;

  private static long open() throws Exception {
    try (var list = Files.list(Path.of("/proc/self/fd"))) {
      return list.count();
    }
  }

  @Test
  void commands_manyAtOnce_leaveNoDescriptor() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(8);
    try (DeltaBox box = TestBox.open(directory)) {
      Sandbox sandbox = box.create(SandboxSpec.defaults());
      sandbox.exec("true");
      // Waits for what is opened beside the first command.
      assertThat(sandbox.snapshots()).isEmpty();
      long before = open();
      List<Future<Integer>> results = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        Callable<Integer> command =
            i % 3 == 0
                ? () -> fails(sandbox)
                : i % 3 == 1 ? () -> sandbox.exec("true").exitCode() : () -> terminal(sandbox);
        results.add(pool.submit(command));
      }
      for (Future<Integer> result : results) {
        assertThat(result.get()).isZero();
      }
      assertThat(sandbox.exec("true").exitCode()).isZero();
      assertThat(open()).isLessThanOrEqualTo(before + 3);
    } finally {
      pool.shutdownNow();
    }
  }

  private static int fails(Sandbox sandbox) throws Exception {
    try {
      sandbox.exec("no-such-program");
      return 1;
    } catch (StartException expected) {
      return 0;
    }
  }

  private static int terminal(Sandbox sandbox) throws Exception {
    ExecSpec spec = ExecSpec.builder("tty", "-s").tty(TerminalSize.DEFAULT).build();
    return sandbox.exec(spec).exitCode();
  }

  @Test
  void sandboxes_madeAndEnded_leaveNoDescriptor() throws Exception {
    try (DeltaBox box = TestBox.open(directory)) {
      box.create(SandboxSpec.defaults()).close();
      long before = open();
      for (int i = 0; i < 10; i++) {
        try (Sandbox sandbox = box.create(SandboxSpec.defaults())) {
          sandbox.start(ExecSpec.of("cat"));
        }
      }
      assertThat(open()).isLessThanOrEqualTo(before);
    }
  }
}
