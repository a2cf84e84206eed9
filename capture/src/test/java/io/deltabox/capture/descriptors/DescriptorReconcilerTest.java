package io.deltabox.capture.descriptors;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.capture.StoppedProcess;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class DescriptorReconcilerTest {
  @BeforeAll
  static void requireTracing() throws Exception {
    TestTracer.require();
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {
        "regular",
        "reopened",
        "shared",
        "unshared",
        "numbers",
        "cloexec",
        "orphan",
        "orphan_gone",
        "directory",
        "devices",
        "pipe",
        "pipe_gone",
        "pipe_full",
        "pipe_packets",
        "pipe_end",
        "fifo",
        "eventfd",
        "memfd",
        "many",
        "forked",
        "outside",
        "timerfd",
        "signalfd",
        "epoll",
        "epoll_edge",
        "epoll_member",
        "epoll_gone",
        "pidfd",
        "inotify",
        "inotify_gone",
        "surroundings",
        "locks",
        "pty",
        "pty_gone",
        "pty_session",
        "unix_stream",
        "unix_stream_gone",
        "unix_stream_end",
        "unix_stream_half",
        "unix_shut",
        "unix_dgram",
        "unix_seqpacket",
        "unix_forked",
        "unix_listening",
        "unix_waiting",
        "tcp_listening",
        "tcp_connected",
        "pty_queued",
        "memfd_mapped",
        "tcp_gone",
        "tcp_end",
        "udp"
      })
  void reconcile_disturbedProgram_findsEverythingAgain(String scenario) throws Exception {
    try (Kernel kernel = new Kernel(Devices.PLAIN);
        TestTracer tracer = new TestTracer(new Kernel(Devices.PLAIN));
        TestProgram program = TestProgram.start(kernel, scenario)) {
      Map<Integer, StoppedProcess> stopped = tracer.stop(TestTracer.tree(program.pid()));
      DescriptorTable target = TestTracer.scan(stopped);
      tracer.resume(stopped);
      program.ask("disturb", "disturbed");

      stopped = tracer.stop(TestTracer.tree(program.pid()));
      DescriptorTable current = TestTracer.scan(stopped);
      try (SandboxRoot root = SandboxRoot.of(program.pid(), Devices.PLAIN)) {
        DescriptorReconciler.reconcile(current, target, stopped, root, OuterEnds.OWN);
      }
      DescriptorTable after = TestTracer.scan(stopped);
      tracer.resume(stopped);

      assertThat(describe(after)).isEqualTo(describe(target));
      program.ask("check", "ok");
    }
  }

  @Test
  void window_arenaTooSmall_tellsTheNeedAndLosesNothing() throws Exception {
    try (Kernel kernel = new Kernel(Devices.PLAIN);
        TestTracer tracer = new TestTracer(new Kernel(Devices.PLAIN));
        TestProgram program = TestProgram.start(kernel, "unix_seqpacket")) {
      Map<Integer, StoppedProcess> stopped = tracer.stop(TestTracer.tree(program.pid()));
      DescriptorTable whole = TestTracer.scan(stopped);
      for (int room = 0; room < 8192; room += 100) {
        assertThat(TestTracer.need(stopped, room)).isGreaterThan(room);
      }
      DescriptorTable after = TestTracer.scan(stopped);
      tracer.resume(stopped);

      assertThat(describe(after)).isEqualTo(describe(whole));
      assertThat(after.contents()).isEqualTo(whole.contents());
      program.ask("disturb", "disturbed");
    }
  }

  /** Who has what, with which flags and offset, and who shares it. */
  private static Map<Slot, List<Object>> describe(DescriptorTable table) {
    Map<Slot, List<Object>> described = new TreeMap<>();
    for (ProcessFiles process : table.processes().values()) {
      for (Descriptor descriptor : process.descriptors().values()) {
        OpenFile file = descriptor.file();
        described.put(
            new Slot(process.process(), descriptor.number()),
            List.of(
                file.kind(),
                descriptor.closeOnExec(),
                Integer.toOctalString(
                    file.status().flags() & ~(Flags.O_TMPFILE | Flags.O_LARGEFILE)),
                file.status().position(),
                file.slots()));
      }
    }
    return described;
  }
}
