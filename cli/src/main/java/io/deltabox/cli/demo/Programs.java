package io.deltabox.cli.demo;

import io.deltabox.Exec;
import io.deltabox.ExecResult;
import io.deltabox.ExecSpec;
import io.deltabox.ProcessInfo;
import io.deltabox.Sandbox;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What lives in the demo's sandbox, and how it is asked and made to work. Used by one thread. */
final class Programs {
  static final String HOME = "/home/user";
  static final String PLACE = HOME + "/.demo";

  private static final int USER = 1000;
  private static final int MEGABYTES = 256;
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final List<String> FILES =
      List.of("agent.py", "ask.py", "shell.sh", "setup.sh", "work.sh", "damage.sh", "facts.sh");

  private final Sandbox sandbox;
  private final Exec shell;
  private final BufferedReader shellSays;
  private final Path root;

  private Programs(Sandbox sandbox, Exec shell, BufferedReader shellSays, Path root) {
    this.sandbox = sandbox;
    this.shell = shell;
    this.shellSays = shellSays;
    this.root = root;
  }

  /** Puts the scripts and, if it is there, the repository into the sandbox. */
  static void install(Sandbox sandbox, Path bundle) throws IOException, InterruptedException {
    run(sandbox, "mkdir", "-p", PLACE);
    for (String name : FILES) {
      try (InputStream in = Programs.class.getResourceAsStream(name)) {
        if (in == null) {
          throw new IOException("not in the jar: " + name);
        }
        write(sandbox, name, in);
      }
    }
    if (Files.exists(bundle)) {
      try (InputStream in = Files.newInputStream(bundle)) {
        write(sandbox, "work.bundle", in);
      }
    }
  }

  private static void write(Sandbox sandbox, String name, InputStream content)
      throws IOException, InterruptedException {
    Exec cat = sandbox.start(spec("/bin/sh", "-c", "cat > \"$0\"", PLACE + "/" + name).build());
    try (OutputStream to = cat.stdin()) {
      content.transferTo(to);
    }
    if (cat.waitFor().shellCode() != 0) {
      throw new IOException("write a file inside failed: name=" + name);
    }
  }

  /** Makes the working copy; answers where it comes from. */
  static String setUp(Sandbox sandbox) throws IOException, InterruptedException {
    return run(sandbox, "bash", PLACE + "/setup.sh", PLACE).strip();
  }

  /** Starts all programs and waits until they are ready. */
  static Programs start(Sandbox sandbox) throws IOException, InterruptedException {
    Exec agent =
        sandbox.start(
            spec("python3", PLACE + "/agent.py", PLACE + "/agent.sock", Integer.toString(MEGABYTES))
                .background(true)
                .build());
    sandbox.start(
        spec("python3", "-m", "http.server", "8000", "--bind", "127.0.0.1", "-d", HOME + "/site")
            .background(true)
            .build());
    Exec shell = sandbox.start(spec("bash", PLACE + "/shell.sh").build());
    BufferedReader says = reader(shell);
    ready(says, shell);
    ready(reader(agent), agent);
    run(
        sandbox,
        "bash",
        "-c",
        "for i in {1..200}; do (exec 3<>/dev/tcp/127.0.0.1/8000) 2>/dev/null && exit; sleep 0.05;"
            + " done; exit 1");
    return new Programs(sandbox, shell, says, root(agent.pid()));
  }

  private static BufferedReader reader(Exec exec) {
    return new BufferedReader(new InputStreamReader(exec.stdout(), StandardCharsets.UTF_8));
  }

  private static void ready(BufferedReader from, Exec exec) throws IOException {
    String line = from.readLine();
    if (line == null || !line.startsWith("ready")) {
      String errors = new String(exec.stderr().readNBytes(1000), StandardCharsets.UTF_8);
      throw new IOException(
          "program inside did not start: " + exec.spec().argv() + " said=" + line + " " + errors);
    }
  }

  /** The sandbox's root directory as the host reaches it. */
  private static Path root(int innerPid) throws IOException {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : all) {
        if (isAgent(process, innerPid)) {
          return process.resolve("root");
        }
      }
    }
    throw new IOException("program is not among the processes: pid inside=" + innerPid);
  }

  private static boolean isAgent(Path process, int innerPid) {
    try {
      return Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1)
              .contains(PLACE + "/agent.sock")
          && Files.readString(process.resolve("status"), StandardCharsets.ISO_8859_1)
              .matches("(?s).*\nNSpid:[^\n]*\t" + innerPid + "\n.*");
    } catch (IOException ended) {
      return false;
    }
  }

  /** One step of honest work. */
  void work(long seed) throws IOException, InterruptedException {
    run(sandbox, "bash", PLACE + "/work.sh", PLACE, Long.toString(seed));
  }

  /** Breaks what can be broken; {@code everywhere} tries it on the whole tree. */
  void damage(long seed, String everywhere) throws IOException, InterruptedException {
    run(sandbox, "bash", PLACE + "/damage.sh", PLACE, Long.toString(seed), everywhere);
  }

  /** Looks from outside first: looking from inside leaves traces. */
  Facts facts() throws IOException, InterruptedException {
    List<String> processes = new ArrayList<>();
    for (ProcessInfo info : sandbox.processes()) {
      processes.add(
          info.pid()
              + " of "
              + info.parentPid()
              + " user="
              + info.uid()
              + " threads="
              + info.threadCount()
              + " "
              + info.command());
    }
    Map<String, String> files = Tree.writable(root);
    return new Facts(processes, files, inside());
  }

  private Map<String, String> inside() throws IOException, InterruptedException {
    Map<String, String> facts = new LinkedHashMap<>();
    shell.stdin().write("who\n".getBytes(StandardCharsets.UTF_8));
    shell.stdin().flush();
    facts.put("shell", String.valueOf(shellSays.readLine()));
    for (String line : run(sandbox, "bash", PLACE + "/facts.sh", PLACE).split("\n")) {
      int space = line.indexOf(' ');
      String word = space < 0 ? line : line.substring(0, space);
      facts.merge(word, line.substring(Math.max(space, 0)).strip(), (a, b) -> a + "; " + b);
    }
    return facts;
  }

  /** What no program inside may write: it must be the same for ever. */
  Map<String, String> rest() throws IOException {
    return Tree.rest(root);
  }

  private static ExecSpec.Builder spec(String... argv) {
    return ExecSpec.builder(argv)
        .user(USER, USER)
        .cwd(HOME)
        .env("HOME", HOME)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1");
  }

  private static String run(Sandbox sandbox, String... argv)
      throws IOException, InterruptedException {
    ExecResult result = sandbox.exec(spec(argv).timeout(LIMIT).build());
    if (result.exitCode() != 0) {
      throw new IOException(
          "command inside failed: "
              + String.join(" ", argv)
              + ": "
              + result.status()
              + " "
              + result.stderr().strip().replace('\n', ' '));
    }
    return result.stdout();
  }
}
