package io.deltabox.capture.descriptors;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.capture.StoppedProcess;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class RefusalsTest {
  @Test
  void of_programWithNamespaceDescriptor_namesProcessDescriptorAndReason() throws Exception {
    try (Kernel kernel = new Kernel();
        TestTracer tracer = new TestTracer(new Kernel());
        TestProgram program = TestProgram.start(kernel, "unsupported")) {
      Map<Integer, StoppedProcess> stopped = tracer.stop(TestTracer.tree(program.pid()));
      DescriptorTable table = TestTracer.scan(stopped);
      tracer.resume(stopped);

      List<Refusal> refusals = Refusals.of(table);

      assertThat(refusals).hasSize(1);
      assertThat(refusals.get(0).message())
          .contains("pid=" + program.pid(), "python3", "fd=10", "net:[", "close it");
      program.ask("disturb", "disturbed");
      program.ask("check", "ok");
    }
  }
}
