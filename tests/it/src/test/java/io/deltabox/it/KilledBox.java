package io.deltabox.it;

import io.deltabox.DeltaBox;
import io.deltabox.DeltaBoxConfig;
import io.deltabox.ExecSpec;
import io.deltabox.Sandbox;
import io.deltabox.SandboxSpec;
import io.deltabox.Snapshot;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/** A program to be killed: holds a sandbox and never stops saving it and putting it back. */
final class KilledBox {
  private KilledBox() {}

  /** Arguments: directory of the data, directory of the probes, marker, seed. */
  public static void main(String[] args) throws Exception {
    Random random = new Random(Long.parseLong(args[3]));
    try (DeltaBox box = DeltaBox.open(DeltaBoxConfig.of(Path.of(args[0])));
        Sandbox sandbox = box.create(SandboxSpec.builder().expose(args[1]).build())) {
      List<String> argv = List.of(args[1] + "/memory", args[3], "/tmp", args[2]);
      try (Talk talk = TestBox.start(sandbox, ExecSpec.builder(argv).build())) {
        System.out.println("ready " + talk.exec().id());
        Snapshot last = sandbox.checkpoint();
        while (true) {
          Snapshot next = sandbox.checkpoint();
          sandbox.rollback(random.nextBoolean() ? last : next);
          if (random.nextInt(4) == 0) {
            last = sandbox.checkpoint();
          }
          sandbox.exec("/bin/true");
        }
      }
    }
  }
}
