package io.deltabox.it;

import io.deltabox.ExecSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A program that changes its state without end.
 *
 * @param name for reports
 * @param file what must exist on this machine, or null
 * @param question what it answers with "ok" if it finds itself sound, or null
 * @param argv its arguments
 */
record Program(String name, @Nullable String file, @Nullable String question, List<String> argv) {
  Program {
    argv = List.copyOf(argv);
  }

  ExecSpec spec() {
    return ExecSpec.builder(argv)
        .stdin(ExecSpec.Stdin.PIPE)
        // What a whole old region is advised for forks is noticed late: docs/decisions/0007.
        .env("PROBE_WITHOUT", System.getProperty("deltabox.without", "fork-advice"))
        .build();
  }

  /** Files of the base are left alone with {@code -Ddeltabox.base=false}. */
  private static List<String> fileChanges(Path probes, String seed) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("/usr/bin/python3", probes + "/files.py", seed, "/tmp/files"));
    if (!System.getProperty("deltabox.base", "true").equals("false")) {
      words.addAll(BASE);
    }
    return words;
  }

  /** What the program may change of the base. */
  List<String> basePaths() {
    return argv.stream().filter(BASE::contains).toList();
  }

  @Override
  public String toString() {
    return name;
  }

  /**
   * Parts of the base that the file program changes: a subtree of small files, and files that have
   * several names there.
   */
  private static final List<String> BASE =
      List.of(
          "/usr/share/zoneinfo",
          "/usr/bin/bzip2",
          "/usr/bin/bzcat",
          "/usr/bin/bunzip2",
          "/usr/bin/perlbug",
          "/usr/bin/perlthanks",
          "/usr/bin/unzip",
          "/usr/bin/zipinfo",
          "/usr/bin/gunzip",
          "/usr/bin/uncompress");

  static Program named(String name, Path probes, long seed) {
    return all(probes, seed).stream()
        .filter(program -> program.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  static List<Program> all(Path probes, long seed) {
    List<Program> programs = new ArrayList<>();
    String number = String.valueOf(seed);
    programs.add(
        new Program(
            "memory-single", null, null, List.of(probes + "/memory", number, "/tmp", "single")));
    programs.add(
        new Program("memory-tree", null, null, List.of(probes + "/memory", number, "/tmp")));
    programs.add(new Program("tree", null, null, List.of(probes + "/tree", number)));
    programs.add(new Program("files", "/usr/bin/python3", null, fileChanges(probes, number)));
    programs.add(
        new Program(
            "python",
            "/usr/bin/python3",
            "check",
            List.of("/usr/bin/python3", probes + "/load.py", "20")));
    programs.add(
        new Program(
            "bash", "/bin/bash", null, List.of("/bin/bash", probes + "/tree.sh", "/tmp/tree")));
    programs.add(
        new Program(
            "node",
            "/usr/bin/node",
            "check",
            List.of("/usr/bin/node", probes + "/load.js", "/tmp/node")));
    programs.add(
        new Program(
            "jvm",
            "/usr/bin/java",
            "c",
            List.of(
                "/usr/bin/java",
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-cp",
                probes + "/classes",
                "io.deltabox.probes.JvmLoad")));
    return programs;
  }
}
