package io.deltabox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The beginning and the end of daemons. */
final class DaemonEndTest {
  @Test
  void kill_thenNextCommand_saysWhatEnded() throws Exception {
    try (Client client = new Client()) {
      client.requireSandboxes();
      ProcessHandle daemon = ProcessHandle.of(client.daemon()).orElseThrow();
      daemon.destroyForcibly();
      daemon.onExit().join();
      Client.Answer answer = client.run("ls", "--json");
      assertThat(answer.err()).contains("killed").contains("first");
      assertThat(answer.json()).isEmpty();
      assertThat(client.run("ls").err()).isEmpty();
    }
  }

  @Test
  void leaks_ofKilledDaemon_areFoundAndRemoved() throws Exception {
    try (Client client = new Client()) {
      String socket = client.run("daemon", "status", "--json").text();
      assertThat(socket).contains("\"running\":false");
      client.requireSandboxes();
      Path sockets = client.sockets();
      assertThat(client.run("doctor", "--leaks").text()).doesNotContain(sockets.toString());
      ProcessHandle daemon = ProcessHandle.of(client.daemon()).orElseThrow();
      daemon.destroyForcibly();
      daemon.onExit().join();
      assertThat(client.run("doctor", "--leaks").text()).contains("files " + sockets);
      assertThat(client.run("doctor", "--leaks", "--fix").text())
          .contains("removed files " + sockets);
      assertThat(sockets).doesNotExist();
    }
  }

  @Test
  void stop_whileCommandRuns_tellsItsCaller() throws Exception {
    try (Client client = new Client()) {
      client.requireSandboxes();
      Process process = client.start("exec", "first", "cat");
      while (!client.run("ps", "first").text().contains(" cat")) {
        assertThat(process.isAlive()).isTrue();
      }
      client.run("daemon", "stop");
      Client.await(process);
      assertThat(process.exitValue()).isEqualTo(ExitCodes.NOT_STARTED);
    }
  }

  @Test
  void stop_withSandboxes_endsThemAndLeavesNoSocket() throws Exception {
    Path sockets;
    try (Client client = new Client()) {
      client.requireSandboxes();
      sockets = client.sockets();
      assertThat(sockets).exists();
      assertThat(client.run("daemon", "stop").text()).contains("ended=1");
      assertThat(sockets).doesNotExist();
      assertThat(client.run("daemon", "status").text()).contains("no daemon");
    }
  }

  @Test
  void doctor_withoutDaemon_leavesNoneBehind() throws Exception {
    try (Client client = new Client()) {
      Set<Path> before = trialRoots();
      client.run("doctor");
      assertThat(client.data()).doesNotExist();
      assertThat(trialRoots()).isEqualTo(before);
      assertThat(client.runPlain(new byte[0], List.of("--version")).text()).contains("deltabox");
      assertThat(trialRoots()).isEqualTo(before);
    }
  }

  private static Set<Path> trialRoots() throws IOException {
    Set<Path> found = new TreeSet<>();
    for (Path place : List.of(Path.of("/dev/shm"), Path.of("/tmp"))) {
      try (Stream<Path> all = Files.list(place)) {
        all.filter(path -> path.toString().contains("deltabox-private-")).forEach(found::add);
      }
    }
    return found;
  }
}
