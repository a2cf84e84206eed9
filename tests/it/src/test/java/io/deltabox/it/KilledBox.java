package io.deltabox.it;

import io.deltabox.DeltaBox;
import io.deltabox.DeltaBoxConfig;
import io.deltabox.ExecSpec;
import io.deltabox.Sandbox;
import io.deltabox.SandboxSpec;
import io.deltabox.Snapshot;
import io.deltabox.UnavailableException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** A program to be killed: holds a sandbox and never stops saving it and putting it back. */
final class KilledBox {
  private KilledBox() {}

  /** Arguments: directory of the data, directory of the probes, marker, seed. */
  public static void main(String[] args) throws Exception {
    Random random = new Random(Long.parseLong(args[3]));
    try (DeltaBox box = DeltaBox.open(DeltaBoxConfig.of(Path.of(args[0])));
        Sandbox sandbox = box.create(SandboxSpec.builder().expose(args[1]).build())) {
      List<String> argv = List.of(args[1] + "/memory", args[3], "/tmp", "single", args[2]);
      try (Talk talk = TestBox.start(sandbox, ExecSpec.builder(argv).build())) {
        System.out.println("ready " + talk.exec().id());
        @Nullable Snapshot last = null;
        while (true) {
          last = saveAndPutBack(sandbox, last, random);
          sandbox.exec("/bin/true");
        }
      }
    }
  }

  private static @Nullable Snapshot saveAndPutBack(
      Sandbox sandbox, @Nullable Snapshot last, Random random) throws IOException {
    try {
      Snapshot next = sandbox.checkpoint();
      sandbox.rollback(last == null || random.nextBoolean() ? next : last);
      return random.nextInt(4) == 0 ? next : last;
    } catch (UnavailableException e) {
      return null; // then it is killed while it runs commands only
    }
  }
}
