package io.deltabox.bench;

import java.nio.file.Files;
import java.nio.file.Path;

/** Other programs that do some of the same work. */
final class Peer {
  private Peer() {}

  /** How CRIU fares with the same program, or that it is not here. */
  static Object criu() {
    for (String directory : System.getenv().getOrDefault("PATH", "").split(":")) {
      if (!directory.isEmpty() && Files.isExecutable(Path.of(directory, "criu"))) {
        return "not measured: installed at " + Path.of(directory, "criu");
      }
    }
    return "UNAVAILABLE: criu";
  }
}
