package io.deltabox.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.probes.Probes;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The process that holds the sandboxes is killed at random moments; nothing may stay behind. */
final class KillTest {
  private static final int KILLS = Settings.count(5, 50);

  @TempDir Path directory;

  @Test
  void kill_atRandomMoments_leavesNothing() throws Exception {
    try (TestBox box = TestBox.open()) {
      box.create().close(); // says what is unavailable before the first child is started
    }
    long seed = Settings.seed("kill");
    Random random = Settings.random(seed, "kill");
    Path probes = Probes.unpack(Files.createDirectory(directory.resolve("probes")));
    for (int i = 0; i < KILLS; i++) {
      String marker = "marker" + seed + "x" + i;
      long holder = killOne(probes, marker, random);
      Leftovers leftovers = new Leftovers(holder, marker, directory);
      assertThat(leftovers.afterEnd()).as("left after kill %d", i).isEmpty();
    }
    System.out.println("KILLS " + KILLS + " leftovers 0");
  }

  private long killOne(Path probes, String marker, Random random) throws Exception {
    Process child = start(probes, marker, random.nextInt(1000));
    try (BufferedReader says =
        new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
      String line = says.readLine();
      while (line != null && !line.startsWith("ready")) {
        line = says.readLine();
      }
      assertThat(line).as("the holder came up").isNotNull();
      LockSupport.parkNanos(random.nextInt(300_000) * 1000L);
      assertThat(child.isAlive()).as("the holder goes on until it is killed").isTrue();
      Leftovers here = new Leftovers(child.pid(), marker, directory);
      assertThat(here.now()).as("what is looked for can be seen").isNotEmpty();
      return child.pid();
    } finally {
      child.destroyForcibly().waitFor();
    }
  }

  private Process start(Path probes, String marker, int seed) throws IOException {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Djnr.ffi.x86asm.enabled=false",
            "-cp",
            System.getProperty("java.class.path", ""),
            KilledBox.class.getName(),
            directory.resolve("data").toString(),
            probes.toString(),
            marker,
            String.valueOf(seed));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }
}
