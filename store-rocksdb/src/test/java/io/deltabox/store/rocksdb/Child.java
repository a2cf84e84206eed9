package io.deltabox.store.rocksdb;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Another process that writes a lineage into a store. */
final class Child implements AutoCloseable {
  private final Process process;
  private final BufferedReader output;

  private Child(Process process) {
    this.process = process;
    this.output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  /**
   * @param temporary its directory for temporary files
   */
  static Child start(Path temporary, Path store, long seed) throws IOException {
    return new Child(
        builder(temporary, store, seed).redirectError(ProcessBuilder.Redirect.INHERIT).start());
  }

  /** What a child prints that is expected to fail. */
  static String failing(Path temporary, Path store) throws Exception {
    Process process = builder(temporary, store, 1).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() == 0) {
      throw new AssertionError("it has not failed: " + said);
    }
    return said;
  }

  private static ProcessBuilder builder(Path temporary, Path store, long seed) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"));
    command.addAll(List.of("-XX:-UsePerfData", "-Djava.io.tmpdir=" + temporary));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(Lineage.class.getName(), store.toString(), Long.toString(seed)));
    return new ProcessBuilder(command);
  }

  long pid() {
    return process.pid();
  }

  /** Waits for the next acknowledgement; its number, or -1 when the child has ended. */
  long acknowledged() throws IOException {
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      if (line.startsWith("ack ") && line.endsWith(".")) {
        return Long.parseLong(line.substring(4, line.length() - 1));
      }
    }
    return -1;
  }

  /** Ends it in the middle of what it does; what it has said can still be read. */
  void kill() {
    process.toHandle().destroyForcibly();
  }

  @Override
  public void close() throws IOException {
    process.destroyForcibly();
    process.onExit().join();
    output.close();
  }
}
