package io.deltabox.capture.files;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The Python program that changes trees and walks them, independent of the code under test. */
final class Agent implements AutoCloseable {
  private final Path program;
  private final Process process;
  private final BufferedWriter in;
  private final BufferedReader out;

  Agent() throws IOException {
    program = Files.createTempFile("deltabox-agent", ".py");
    try (InputStream resource = Agent.class.getResourceAsStream("/files/agent.py")) {
      if (resource == null) {
        throw new IOException("agent.py is not on the class path");
      }
      Files.copy(resource, program, StandardCopyOption.REPLACE_EXISTING);
    }
    process =
        new ProcessBuilder("/usr/bin/python3", "-B", program.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    in =
        new BufferedWriter(
            new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
    out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  long pid() {
    return process.pid();
  }

  List<String> ask(String... words) throws IOException {
    in.write(String.join(" ", words) + "\n");
    in.flush();
    List<String> answer = new ArrayList<>();
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      if (line.equals(".")) {
        return answer;
      }
      if (line.equals("!")) {
        throw new IOException("agent failed: " + String.join("\n", answer));
      }
      answer.add(line);
    }
    throw new IOException("agent has ended: asked=" + words[0]);
  }

  /** Runs Python statements in the agent; what they leave in {@code result} is returned. */
  String py(String code) throws IOException {
    List<String> answer =
        ask("py", HexFormat.of().formatHex(code.getBytes(StandardCharsets.UTF_8)));
    return answer.isEmpty() ? "" : answer.get(0);
  }

  /** Every entry below a root, by path. */
  Map<String, String> walk(String root) throws IOException {
    Map<String, String> all = new TreeMap<>();
    for (String line : ask("walk", root)) {
      int space = line.indexOf(' ');
      all.put(readable(line.substring(0, space)), line.substring(space + 1));
    }
    return all;
  }

  private static String readable(String key) {
    return key.startsWith("group:") || key.equals("/")
        ? key
        : new String(HexFormat.of().parseHex(key), StandardCharsets.ISO_8859_1);
  }

  @Override
  public void close() throws IOException {
    process.destroyForcibly();
    Files.deleteIfExists(program);
  }
}
