package io.deltabox.store.rocksdb;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Another process that writes a lineage into a store. */
final class Child implements AutoCloseable {
  private final Process process;
  private final BufferedReader output;
  private long durable;
  private long done;

  private Child(Process process) {
    this.process = process;
    this.output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  /**
   * @param temporary its directory for temporary files
   * @param share one of so many steps is made durable
   */
  static Child start(Path temporary, Path store, long seed, int share) throws IOException {
    return new Child(
        builder(temporary, store, seed, share)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start());
  }

  /** What a child prints that is expected to fail. */
  static String failing(Path temporary, Path store) throws Exception {
    Process process = builder(temporary, store, 1, 1).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() == 0) {
      throw new AssertionError("it has not failed: " + said);
    }
    return said;
  }

  private static ProcessBuilder builder(Path temporary, Path store, long seed, int share) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"));
    command.addAll(List.of("-XX:-UsePerfData", "-Djava.io.tmpdir=" + temporary));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(Lineage.class.getName(), store.toString()));
    command.addAll(List.of(Long.toString(seed), Integer.toString(share)));
    return new ProcessBuilder(command);
  }

  long pid() {
    return process.pid();
  }

  /** The newest step that was said to be durable; 0 for none. */
  long durable() {
    return durable;
  }

  /** The newest step that was said to be done; 0 for none. */
  long done() {
    return done;
  }

  /** Waits for it to say more; false if it has ended. */
  boolean hear() throws IOException {
    String line = output.readLine();
    if (line == null) {
      return false;
    }
    // A killed child may have said half a line.
    if (line.endsWith(".")) {
      done = Long.parseLong(line.substring(line.indexOf(' ') + 1, line.length() - 1));
      durable = line.startsWith("ack ") ? done : durable;
    }
    return true;
  }

  /** Takes what a stopped child has said before. */
  void hearTheRest() throws IOException {
    while (output.ready()) {
      hear();
    }
  }

  /** Stops all its threads wherever they are. */
  void pause() throws IOException {
    signal("-STOP");
    while (!stopped()) {
      Thread.onSpinWait();
    }
  }

  private boolean stopped() throws IOException {
    try (var threads = Files.list(Path.of("/proc", Long.toString(pid()), "task"))) {
      for (Path thread : threads.toList()) {
        String stat = Files.readString(thread.resolve("stat"));
        if (stat.charAt(stat.lastIndexOf(')') + 2) != 'T') {
          return false;
        }
      }
    }
    return true;
  }

  void resume() throws IOException {
    signal("-CONT");
  }

  private void signal(String signal) throws IOException {
    Process kill = new ProcessBuilder("kill", signal, Long.toString(pid())).start();
    if (kill.onExit().join().exitValue() != 0) {
      throw new IOException("signal failed: pid=" + pid() + " signal=" + signal);
    }
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
