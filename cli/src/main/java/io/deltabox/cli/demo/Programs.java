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
  private static final long SETTLE_NANOS = 2_000_000_000L;
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final List<String> FILES =
      List.of("agent.py", "ask.py", "shell.sh", "setup.sh", "work.sh", "damage.sh", "facts.sh");

  private final Sandbox sandbox;
  private final Exec agent;
  private final Exec server;
  private final Exec shell;
  private final BufferedReader shellSays;

  /** What is done to the running programs besides wrecking their state and files. */
  enum Blow {
    /** Nothing: all of them live on. */
    NONE("everything lives on"),
    /** kill -9 of the Python program and of the server. */
    KILL_SERVERS("agent and server killed"),
    /** kill -9 of the shell; its children are orphans then. */
    KILL_SHELL("shell killed"),
    /** The shell runs another program in its place. */
    BECOME("another program in the shell's place"),
    /** kill -9 of all. */
    KILL_ALL("all of them killed");

    private final String text;

    Blow(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }
  }

  private Programs(Sandbox sandbox, Exec agent, Exec server, Exec shell, BufferedReader shellSays) {
    this.sandbox = sandbox;
    this.agent = agent;
    this.server = server;
    this.shell = shell;
    this.shellSays = shellSays;
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
    Exec server =
        sandbox.start(
            spec(
                    "python3",
                    "-m",
                    "http.server",
                    "8000",
                    "--bind",
                    "127.0.0.1",
                    "-d",
                    HOME + "/site")
                .background(true)
                .build());
    Exec shell = sandbox.start(spec("bash", PLACE + "/shell.sh", PLACE).build());
    BufferedReader says = reader(shell);
    ready(says, shell);
    ready(reader(agent), agent);
    run(
        sandbox,
        "bash",
        "-c",
        "for i in {1..200}; do (exec 3<>/dev/tcp/127.0.0.1/8000) 2>/dev/null && exit; sleep 0.05;"
            + " done; exit 1");
    return new Programs(sandbox, agent, server, shell, says);
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

  /**
   * The sandbox's root directory as the host reaches it; looked for each time, because the agent
   * may be another process of the host now.
   */
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
  void damage(long seed, String everywhere, Blow blow) throws IOException, InterruptedException {
    List<String> words =
        new ArrayList<>(
            List.of("bash", PLACE + "/damage.sh", PLACE, Long.toString(seed), everywhere));
    if (blow == Blow.BECOME) {
      say("become");
    }
    if (blow == Blow.KILL_SERVERS || blow == Blow.KILL_ALL) {
      words.addAll(List.of(Integer.toString(agent.pid()), Integer.toString(server.pid())));
    }
    if (blow == Blow.KILL_SHELL || blow == Blow.KILL_ALL) {
      words.add(Integer.toString(shell.pid()));
    }
    run(sandbox, words.toArray(String[]::new));
  }

  /** Lets the child of the shell end, and tells whether the shell hears the right exit code. */
  String finish(int code) throws IOException {
    say("finish " + code);
    return String.valueOf(shellSays.readLine());
  }

  private void say(String line) throws IOException {
    shell.stdin().write((line + "\n").getBytes(StandardCharsets.UTF_8));
    shell.stdin().flush();
  }

  /** Looks from outside first: looking from inside leaves traces. */
  Facts facts() throws IOException, InterruptedException {
    List<String> processes = new ArrayList<>();
    for (ProcessInfo info : processes()) {
      processes.add(
          info.pid()
              + " of "
              + info.parentPid()
              + " user="
              + info.uid()
              + " threads="
              + info.threadCount()
              + " "
              + state(info.state())
              + info.command());
    }
    Map<String, String> files = Tree.writable(root(agent.pid()));
    return new Facts(processes, files, inside());
  }

  /**
   * One of them is stopped. A stopped job that is let go of has its stop pending until it gets a
   * processor: nothing of it runs, but the kernel does not call it stopped yet.
   */
  private List<ProcessInfo> processes() throws IOException {
    long deadline = System.nanoTime() + SETTLE_NANOS;
    List<ProcessInfo> found = sandbox.processes();
    while (found.stream().noneMatch(p -> p.state() == 'T') && System.nanoTime() < deadline) {
      Thread.onSpinWait();
      found = sandbox.processes();
    }
    return found;
  }

  /** Running and sleeping are the same to us. */
  private static String state(char state) {
    return switch (state) {
      case 'T' -> "stopped ";
      case 'Z' -> "zombie ";
      default -> "";
    };
  }

  private Map<String, String> inside() throws IOException, InterruptedException {
    Map<String, String> facts = new LinkedHashMap<>();
    say("who");
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
    return Tree.rest(root(agent.pid()));
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
