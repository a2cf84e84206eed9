package io.deltabox.capture.descriptors;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.capture.StoppedProcess;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RefusalsTest {
  @BeforeAll
  static void requireTracing() throws Exception {
    TestTracer.require();
  }

  @ParameterizedTest
  @CsvSource({
    "unsupported, fd=10, not supported",
    "in_flight, fd=11, on their way",
    "waiting, fd=10, waits to be accepted",
    "lease, fd=10, lease",
    "epoll_stale, fd=13, no longer under that number",
    "packet_socket, fd=10, family 17",
  })
  void of_programWithWhatCannotBePutBack_namesProcessDescriptorAndReason(
      String scenario, String descriptor, String reason) throws Exception {
    try (Kernel kernel = new Kernel(Devices.PLAIN);
        TestTracer tracer = new TestTracer(new Kernel(Devices.PLAIN));
        TestProgram program = TestProgram.start(kernel, scenario)) {
      Map<Integer, StoppedProcess> stopped = tracer.stop(TestTracer.tree(program.pid()));
      DescriptorTable table = TestTracer.scan(stopped);
      tracer.resume(stopped);

      List<Refusal> refusals = Refusals.of(table);

      assertThat(refusals).hasSize(1);
      assertThat(refusals.get(0).message())
          .contains("pid=" + program.pid(), "python3", descriptor, reason, "; ");
      program.ask("disturb", "disturbed");
      program.ask("check", "ok");
    }
  }
}
