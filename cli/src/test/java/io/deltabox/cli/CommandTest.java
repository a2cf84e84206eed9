package io.deltabox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The real client against a real daemon. */
final class CommandTest {
  private static final long GIGABYTE = 1L << 30;
  private static final long GROWTH_BYTES_MAX = 160L << 20;
  private static Client client;

  @BeforeAll
  static void start() throws Exception {
    client = new Client();
    client.requireSandboxes();
  }

  @AfterAll
  static void stop() throws Exception {
    client.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ls extra                     | 2   | Unmatched argument",
        "nonsense                     | 2   | nonsense",
        "exec                         | 2   | SANDBOX",
        "exec first                   | 2   | no command given",
        "exec first ''                | 2   | empty",
        "exec nobody true             | 4   | no such sandbox: 'nobody'",
        "exec first /no/such          | 127 | /no/such",
        "exec first /etc              | 126 | /etc",
        "exec -w /no/such first true  | 125 | /no/such",
        "exec -u 70000 first true     | 2   | 0..65535",
        "exec -e X first true         | 2   | NAME=VALUE",
        "exec --timeout 0 first true  | 2   | --timeout",
        "run --memory 0               | 2   | --memory",
        "run --memory 12q             | 2   | --memory",
        "run --disk -1                | 2   | --disk",
        "run --cpus 0                 | 2   | processor",
        "run --processes 0            | 2   | processes",
        "run --name a/b               | 2   | a/b",
        "run --name first             | 2   | first",
        "run --rm                     | 2   | --rm",
        "run --expose relative        | 2   | relative",
        "attach first 4711            | 4   | 4711",
        "attach first x               | 2   | x",
        "kill first 4711              | 4   | 4711",
        "kill -s NONE first           | 2   | NONE",
        "rollback first nothing       | 4   | nothing",
        "rollback nothing             | 4   | nothing",
        "rollback first@-4711         | 4   | -4711",
        "diff nothing                 | 4   | nothing",
        "rm                           | 2   | --all",
        "rm nobody                    | 4   | nobody",
        "show nobody                  | 4   | nobody",
        "checkpoint --name a/b first  | 2   | a/b",
        "doctor --fix                 | 2   | --leaks",
        "daemon dance                 | 2   | dance",
      })
  void verb_badInput_namesTheThingInOneLine(String line, int code, String message)
      throws Exception {
    String[] words = line.replace("''", "\0").split(" +");
    for (int i = 0; i < words.length; i++) {
      words[i] = words[i].replace("\0", "");
    }
    Client.Answer answer = client.run(words);
    assertThat(answer.err()).contains(message).startsWith("deltabox: ");
    assertThat(answer.err().strip()).doesNotContain("\n");
    assertThat(answer.code()).isEqualTo(code);
    assertThat(answer.out()).isEmpty();
    assertThat(client.run("ls", "--json").json()).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ls --nonsense --json            | 2",
        "show --json nobody              | 4",
        "exec --json first /no/such      | 127",
        "exec --json --timeout 0 first x | 2",
        "rollback first nothing --json   | 4",
        "run --json --memory 0           | 2",
      })
  void verb_badInputWithJson_saysItInJson(String line, int code) throws Exception {
    Client.Answer answer = client.run(line.split(" +"));
    JsonNode error = new ObjectMapper().readTree(answer.err());
    assertThat(error.get("error").asText()).isNotEmpty().doesNotStartWith("deltabox:");
    assertThat(error.get("code").asInt()).isEqualTo(code);
    assertThat(answer.code()).isEqualTo(code);
    assertThat(answer.out()).isEmpty();
  }

  @Test
  void exec_jsonAmongTheWordsOfTheCommand_isTheCommands() throws Exception {
    assertThat(client.run("exec", "first", "/no/such", "--json").err()).startsWith("deltabox: ");
    assertThat(client.run("exec", "first", "echo", "--json").text()).isEqualTo("--json\n");
  }

  @Test
  void exec_withJson_answersWithOutputAndEnd() throws Exception {
    Client.Answer answer =
        client.run("exec", "--json", "first", "sh", "-c", "echo out; echo err >&2; exit 3");
    JsonNode value = answer.json();
    assertThat(value.get("stdout").asText()).isEqualTo("out\n");
    assertThat(value.get("stderr").asText()).isEqualTo("err\n");
    assertThat(value.get("exit").asInt()).isEqualTo(3);
    assertThat(answer.code()).isEqualTo(3);
    assertThat(answer.err()).isEmpty();
  }

  @Test
  void rollback_withCheckOfUncheckedSnapshot_isRefused() throws Exception {
    client.run("run", "--name", "unchecked");
    client.run("checkpoint", "unchecked", "--name", "plain");
    Client.Answer answer = client.run("rollback", "--check", "unchecked", "plain");
    assertThat(answer.code()).isEqualTo(ExitCodes.USAGE);
    assertThat(answer.err()).contains("without a check").contains("checkpoint --check");
    assertThat(client.run("rm", "unchecked").code()).isZero();
  }

  @Test
  void rollback_withDryRun_tellsAndTouchesNothing() throws Exception {
    client.run("run", "--name", "planned");
    client.run("checkpoint", "planned", "--name", "then");
    client.run("exec", "planned", "sh", "-c", "echo 1 > /root/new");
    client.run("exec", "-d", "planned", "sleep", "4716");
    Client.Answer told = client.run("rollback", "--dry-run", "planned", "then");
    assertThat(told.code()).as(told.err()).isZero();
    assertThat(told.text())
        .containsPattern("(?m)^end +[0-9]+  sleep +was not there at the snapshot$")
        .contains("\n- /root/new  file\n")
        .endsWith("0 made, 1 ended, 1 files; nothing was touched\n");
    JsonNode value = client.run("rollback", "--dry-run", "--json", "planned", "then").json();
    assertThat(value.get("processes").get(0).get("action").asText()).isEqualTo("end");
    assertThat(value.get("files").get(0).get("path").asText()).isEqualTo("/root/new");
    assertThat(client.run("exec", "planned", "cat", "/root/new").text()).isEqualTo("1\n");
    JsonNode done = client.run("rollback", "--json", "planned", "then").json();
    assertThat(done.get("processes_ended")).isEqualTo(value.get("processes_ended"));
    assertThat(done.get("processes_made")).isEqualTo(value.get("processes_made"));
    assertThat(done.get("files")).isEqualTo(value.get("file_count"));
    assertThat(client.run("rm", "planned").code()).isZero();
  }

  /**
   * A file of the host that changes under a mapping is what no rollback can put back; noticed as
   * the mapping has pages of its own, too.
   */
  @Test
  void rollback_withCheck_failsWhenSomethingDiffers() throws Exception {
    Path shown = Files.createTempDirectory("command-test-shown-");
    Path file = Files.writeString(shown.resolve("page"), "x".repeat(8192));
    String program =
        """
        import mmap, sys, time
        f = open(sys.argv[1], 'rb')
        m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY)
        m[4096] = 1
        print(m[0], file=open('/root/looked', 'w'), flush=True)
        time.sleep(4716)
        """;
    client.run("run", "--check", "--name", "proof", "--expose", shown.toString());
    client.run("exec", "-d", "proof", "/usr/bin/python3", "-c", program, file.toString());
    await(
        () -> client.run("exec", "proof", "cat", "/root/looked").text(),
        looked -> looked.equals("120\n"));
    client.run("checkpoint", "proof", "--name", "then");
    Client.Answer same = client.run("rollback", "--check", "--json", "proof", "then");
    assertThat(same.json().get("checked").asBoolean()).isTrue();
    assertThat(same.code()).as(same.err()).isZero();
    try (RandomAccessFile page = new RandomAccessFile(file.toFile(), "rw")) {
      page.write(1);
    }
    Client.Answer other = client.run("rollback", "--check", "proof", "then");
    assertThat(other.code()).isEqualTo(ExitCodes.FAILED);
    assertThat(other.text()).contains(file.toString()).contains("expected=").contains("found=");
    assertThat(other.err()).contains("not exact").contains("differences=1");
    client.run("rm", "proof");
    Files.delete(file);
    Files.delete(shown);
  }

  @Test
  void exec_ofAnyEnd_returnsTheShellsCode() throws Exception {
    assertThat(client.run("exec", "first", "sh", "-c", "exit 7").code()).isEqualTo(7);
    assertThat(client.run("exec", "first", "sh", "-c", "kill -9 $$").code()).isEqualTo(137);
    assertThat(client.run("exec", "--timeout", "200ms", "first", "sleep", "60").code())
        .isEqualTo(ExitCodes.TIMED_OUT);
  }

  @Test
  void exec_outputAndErrors_stayApart() throws Exception {
    Client.Answer answer = client.run("exec", "first", "sh", "-c", "echo out; echo err >&2");
    assertThat(answer.text()).isEqualTo("out\n");
    assertThat(answer.err()).isEqualTo("err\n");
  }

  @Test
  void exec_binaryInput_comesBackUnchanged() throws Exception {
    byte[] bytes = new byte[3 << 20];
    new Random(42).nextBytes(bytes);
    Client.Answer answer = client.run(bytes, "exec", "first", "cat");
    assertThat(answer.out()).isEqualTo(bytes);
    assertThat(answer.code()).isZero();
  }

  @Test
  void exec_gigabyteOfOutput_keepsTheDaemonSmall() throws Exception {
    long daemon = client.daemon();
    long before = peakBytes(daemon);
    Process process = client.start("exec", "first", "dd", "if=/dev/zero", "bs=1M", "count=1024");
    Client.await(process);
    assertThat(process.exitValue()).isZero();
    assertThat(peakBytes(daemon) - before).isLessThan(GROWTH_BYTES_MAX);
    assertThat(GROWTH_BYTES_MAX).isLessThan(GIGABYTE);
  }

  private static long peakBytes(long pid) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
      if (line.startsWith("VmHWM:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) << 10;
      }
    }
    throw new IOException("no peak memory in status: pid=" + pid);
  }

  @Test
  void exec_clientKilled_endsTheCommand() throws Exception {
    Process process = client.start("exec", "first", "sleep", "4711");
    await(list -> list.contains("sleep 4711"));
    process.destroyForcibly();
    await(list -> !list.contains("sleep 4711"));
  }

  @Test
  void attach_clientKilled_leavesTheCommandRunning() throws Exception {
    String exec = client.run("exec", "--detach", "first", "sleep", "4714").text().strip();
    Process process = client.start("attach", "first", exec);
    process.destroyForcibly().waitFor();
    assertThat(client.run("ps", "first").text()).contains("sleep 4714");
    assertThat(client.run("kill", "-s", "TERM", "first", exec).code()).isZero();
    assertThat(client.run("attach", "first", exec).code()).isEqualTo(ExitCodes.SIGNALED + 15);
  }

  @Test
  void run_withRmAndKilledClient_endsTheSandbox() throws Exception {
    Process process = client.start("run", "--rm", "--name", "short", "sleep", "4715");
    awaitList(list -> list.contains("short"));
    process.destroyForcibly();
    awaitList(list -> !list.contains("short"));
  }

  private static void awaitList(Predicate<String> sandboxes) throws Exception {
    await(() -> client.run("ls").text(), sandboxes);
  }

  @Test
  void exec_clientInterrupted_passesTheSignalOn() throws Exception {
    Process process = client.start("exec", "first", "sleep", "4712");
    await(list -> list.contains("sleep 4712"));
    process.destroy();
    Client.await(process);
    assertThat(process.exitValue()).isEqualTo(ExitCodes.SIGNALED + 15);
  }

  private static void await(Predicate<String> processes) throws Exception {
    await(() -> client.run("ps", "first").text(), processes);
  }

  private static void await(Callable<String> look, Predicate<String> wanted) throws Exception {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(Client.SECONDS_MAX);
    String seen = look.call();
    while (!wanted.test(seen)) {
      assertThat(System.nanoTime()).as(seen).isLessThan(until);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
      seen = look.call();
    }
  }

  @Test
  void attach_toEndedCommand_givesOutputAndCode() throws Exception {
    Client.Answer started =
        client.run("exec", "--detach", "first", "sh", "-c", "echo kept; exit 3");
    Client.Answer attached = client.run("attach", "first", started.text().strip());
    assertThat(attached.text()).isEqualTo("kept\n");
    assertThat(attached.code()).isEqualTo(3);
  }

  @Test
  void rollback_afterChange_givesFilesBack() throws Exception {
    client.run("exec", "first", "sh", "-c", "echo one > /root/file");
    assertThat(client.run("checkpoint", "first", "--name", "before").err()).isEmpty();
    client.run("exec", "first", "sh", "-c", "echo two > /root/file; echo more > /root/other");
    assertThat(client.run("checkpoint", "first", "--name", "after").err()).isEmpty();
    assertThat(client.run("diff", "first@before", "first@after").text())
        .contains("M /root/file")
        .contains("+ /root/other");
    assertThat(client.run("rollback", "first@before").err()).isEmpty();
    assertThat(client.run("exec", "first", "cat", "/root/file").text()).isEqualTo("one\n");
    assertThat(client.run("exec", "first", "cat", "/root/other").code()).isEqualTo(1);
  }

  @Test
  void rollback_afterStart_endsWhatDidNotRunThen() throws Exception {
    String id =
        client.run("checkpoint", "first", "--name", "one", "--json").json().get("id").asText();
    String exec = client.run("exec", "--detach", "first", "sleep", "4713").text().strip();
    await(list -> list.contains("sleep 4713"));
    Client.Answer answer = client.run("rollback", "first@one", "--json");
    assertThat(answer.json().get("snapshot").asText()).isEqualTo(id);
    assertThat(answer.json().get("processes_ended").asInt()).isEqualTo(1);
    assertThat(client.run("ps", "first").text()).doesNotContain("sleep 4713");
    assertThat(client.run("attach", "first", exec).code()).isEqualTo(ExitCodes.NOT_STARTED);
    assertThat(client.run("show", "first", "--json").json().get("current").asText()).isEqualTo(id);
  }

  @ParameterizedTest
  @CsvSource({
    "ls",
    "ps first",
    "log first",
    "tree first",
    "show first",
    "kill first",
    "doctor",
    "daemon status",
    "checkpoint first"
  })
  void verb_withJson_answersOneValue(String line) throws Exception {
    Client.Answer answer = client.run((line + " --json").split(" "));
    JsonNode value = answer.json();
    assertThat(value.isObject() || value.isArray()).isTrue();
    assertThat(answer.text().strip()).doesNotContain("\n");
  }

  @Test
  void ps_ofOneAmongSeveral_mustBeNamed() throws Exception {
    assertThat(client.run("run", "--name", "second").code()).isZero();
    Client.Answer answer = client.run("ps");
    assertThat(answer.code()).isEqualTo(ExitCodes.NOT_FOUND);
    assertThat(answer.err()).contains("first").contains("second");
    assertThat(client.run("rm", "second").code()).isZero();
  }

  @Test
  void socket_malformedFrames_areTurnedAway() throws Exception {
    JsonNode status = client.run("daemon", "status", "--json").json();
    Path socket = Path.of(status.get("socket").asText());
    for (int[] header : List.of(new int[] {1, 2, 3}, new int[] {0x31584244, 1, 1 << 30})) {
      try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
        ByteBuffer bytes = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
        for (int word : header) {
          bytes.putInt(word);
        }
        channel.write(bytes.flip());
        assertThat(channel.read(ByteBuffer.allocate(16))).isEqualTo(-1);
      }
    }
    assertThat(client.run("ls").code()).isZero();
  }

  @Test
  void daemon_secondOnOneRoot_isRefused() throws Exception {
    Client.Answer answer = client.run("daemon", "run");
    assertThat(answer.code()).isEqualTo(ExitCodes.FAILED);
    assertThat(answer.err()).contains("another daemon has this data root");
  }
}
