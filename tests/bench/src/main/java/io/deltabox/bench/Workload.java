package io.deltabox.bench;

import io.deltabox.Exec;
import io.deltabox.ExecSpec;
import io.deltabox.Sandbox;
import io.deltabox.probes.Probes;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** The measured program in its sandbox, and the conversation with it. Used by one thread. */
final class Workload implements AutoCloseable {
  private static final String DIRECTORY = "/tmp/bench";

  private final Exec exec;
  private final OutputStream in;
  private final BufferedReader out;

  private Workload(Exec exec) {
    this.exec = exec;
    this.in = exec.stdin();
    this.out =
        new BufferedReader(new InputStreamReader(exec.stdout(), StandardCharsets.US_ASCII), 512);
  }

  /** Puts the program into the sandbox, starts it and waits until its memory is touched. */
  static Workload start(Sandbox sandbox, CrSettings settings)
      throws IOException, InterruptedException {
    install(sandbox);
    Exec exec =
        sandbox.start(
            ExecSpec.of(
                DIRECTORY + "/workload",
                Long.toString(settings.rssBytes()),
                Integer.toString(settings.threads()),
                DIRECTORY,
                Long.toString(settings.seed())));
    Workload workload = new Workload(exec);
    workload.expect("ready");
    return workload;
  }

  private static void install(Sandbox sandbox) throws IOException, InterruptedException {
    Exec copy =
        sandbox.start(
            ExecSpec.of(
                "/bin/sh",
                "-c",
                "mkdir -p $0 && cat > $0/workload && chmod 755 $0/workload",
                DIRECTORY));
    try (InputStream program = Probes.class.getResourceAsStream("/probes/workload");
        OutputStream to = copy.stdin()) {
      if (program == null) {
        throw new IOException("the measured program is not in the jar");
      }
      program.transferTo(to);
    }
    int code = copy.waitFor().shellCode();
    if (code != 0) {
      throw new IOException("put the measured program into the sandbox failed: exit=" + code);
    }
  }

  int pid() {
    return exec.pid();
  }

  /** Writes pages and files; they are all written when this returns. */
  void dirty(CrSettings settings) throws IOException {
    say("dirty " + settings.dirtyPages() + " " + settings.files());
    expect("ready");
  }

  /** The largest gap the witness saw, and when it ended on the machine's monotonic clock. */
  record Gap(long nanos, long end) {}

  Gap gap() throws IOException {
    String[] words = ask("gap").split(" ");
    return new Gap(Long.parseLong(words[0]), Long.parseLong(words[1]));
  }

  /** Address inside of the time of the witness's last look. */
  long address() throws IOException {
    return Long.parseLong(ask("where"));
  }

  /** What tells states apart: all memory and all files. */
  String digest(CrSettings settings) throws IOException {
    return ask("digest") + " " + ask("files " + settings.files());
  }

  private String ask(String question) throws IOException {
    say(question);
    String answer = hear();
    String word = question.split(" ")[0];
    if (!answer.startsWith(word + " ")) {
      throw new IOException("measured program answers '" + answer + "' to '" + question + "'");
    }
    return answer.substring(word.length() + 1);
  }

  private void expect(String word) throws IOException {
    String line = hear();
    if (!line.equals(word)) {
      throw new IOException("measured program says '" + line + "' instead of " + word);
    }
  }

  private void say(String line) throws IOException {
    in.write((line + "\n").getBytes(StandardCharsets.US_ASCII));
    in.flush();
  }

  private String hear() throws IOException {
    String line = out.readLine();
    if (line == null) {
      throw new IOException("measured program has ended: " + exec.status() + errors());
    }
    return line;
  }

  private String errors() throws IOException {
    try (InputStream errors = exec.stderr()) {
      return " errors='" + new String(errors.readNBytes(500), StandardCharsets.UTF_8).strip() + "'";
    }
  }

  @Override
  public void close() throws IOException {
    exec.kill();
  }
}
