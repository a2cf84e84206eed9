package io.deltabox.cli.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The repository around the caller's working directory, packed without writing anything to it. */
final class Repository {
  private static final long BYTES_MAX = 256L << 20;
  private static final long SECONDS_MAX = 30;

  private Repository() {}

  /**
   * Packs the history of the current branch.
   *
   * @param directory where the caller is
   * @param to the file to be written
   * @return false if there is no repository, or none that can be packed
   */
  static boolean bundle(String directory, Path to) throws IOException, InterruptedException {
    List<String> references = new ArrayList<>(List.of("HEAD"));
    branch(directory).ifPresent(references::add);
    List<String> argv = git(directory);
    argv.addAll(List.of("bundle", "create", "--quiet", to.toString()));
    argv.addAll(references);
    return run(argv).isPresent() && Files.exists(to) && Files.size(to) <= BYTES_MAX;
  }

  private static Optional<String> branch(String directory)
      throws IOException, InterruptedException {
    List<String> argv = git(directory);
    argv.addAll(List.of("symbolic-ref", "--quiet", "HEAD"));
    return run(argv).map(String::strip).filter(name -> !name.isEmpty());
  }

  private static List<String> git(String directory) {
    // The checkout may belong to another user than the daemon; nothing of it is run.
    return new ArrayList<>(
        List.of("git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-C", directory));
  }

  /** Its output if it succeeds. */
  private static Optional<String> run(List<String> argv) throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(argv).redirectError(ProcessBuilder.Redirect.DISCARD);
    builder.environment().put("GIT_OPTIONAL_LOCKS", "0");
    Process process = builder.start();
    try {
      process.getOutputStream().close();
      byte[] output = process.getInputStream().readNBytes(4096);
      boolean ended = process.waitFor(SECONDS_MAX, TimeUnit.SECONDS);
      return ended && process.exitValue() == 0
          ? Optional.of(new String(output, java.nio.charset.StandardCharsets.UTF_8))
          : Optional.empty();
    } finally {
      process.destroyForcibly();
    }
  }
}
