package io.deltabox.bench;

import io.deltabox.Exec;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Lines to and from a program in a sandbox. Used by one thread. */
final class Conversation implements AutoCloseable {
  private final Exec exec;
  private final OutputStream in;
  private final BufferedReader out;

  Conversation(Exec exec) {
    this.exec = exec;
    this.in = exec.stdin();
    this.out =
        new BufferedReader(new InputStreamReader(exec.stdout(), StandardCharsets.US_ASCII), 512);
  }

  Exec exec() {
    return exec;
  }

  /** The answer to a question: the rest of a line that begins with the question's first word. */
  String ask(String question) throws IOException {
    say(question);
    String answer = hear();
    String word = question.split(" ")[0];
    if (!answer.startsWith(word + " ")) {
      throw new IOException("measured program answers '" + answer + "' to '" + question + "'");
    }
    return answer.substring(word.length() + 1);
  }

  void expect(String word) throws IOException {
    String line = hear();
    if (!line.equals(word)) {
      throw new IOException("measured program says '" + line + "' instead of " + word);
    }
  }

  void say(String line) throws IOException {
    in.write((line + "\n").getBytes(StandardCharsets.US_ASCII));
    in.flush();
  }

  String hear() throws IOException {
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

  /** Kills the program. */
  @Override
  public void close() throws IOException {
    exec.kill();
    out.close();
  }
}
