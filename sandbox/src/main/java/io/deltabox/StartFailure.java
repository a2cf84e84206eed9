package io.deltabox;

import io.deltabox.linux.Errno;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Words for a command that could not be started, with the way out. */
final class StartFailure {
  private static final int E2BIG = 7;
  private static final int ENOEXEC = 8;

  private StartFailure() {}

  /**
   * @param baseDigest of the sandbox; empty if its base is the host's files, of which more can be
   *     shown
   */
  static StartException of(ExecSpec spec, int stage, int errno, String baseDigest) {
    String program = spec.argv().get(0);
    return switch (stage) {
      case InitStage.EXEC -> program(program, spec.uid(), errno, baseDigest);
      case InitStage.CWD ->
          workingDirectory(String.valueOf(spec.cwd()), spec.uid(), errno, baseDigest);
      default ->
          new StartException(
              StartException.Reason.SYSTEM,
              "start "
                  + Text.quote(program)
                  + " failed: cannot "
                  + InitStage.text(stage)
                  + ": "
                  + Errno.text(errno)
                  + (errno == Errno.EAGAIN ? " (the limit of processes is reached)" : ""));
    };
  }

  private static StartException program(String program, int uid, int errno, String baseDigest) {
    String what = "start " + Text.quote(program) + " failed: ";
    if (errno == Errno.ENOENT || errno == Errno.ENOTDIR) {
      Path hidden = baseDigest.isEmpty() ? onHost(program) : null;
      String why =
          hidden == null
              ? "no such program in the "
                  + (baseDigest.isEmpty() ? "sandbox" : "sandbox and its base")
                  + " (or its interpreter is missing); searched PATH="
                  + Environment.PATH
              : "the host has it at "
                  + hidden
                  + ", which this sandbox does not show; create the sandbox with --expose "
                  + hidden.getParent();
      return new StartException(StartException.Reason.PROGRAM_NOT_FOUND, what + why);
    }
    String why =
        switch (errno) {
          case Errno.EACCES -> "not executable for uid=" + uid;
          case ENOEXEC -> "neither a program nor a script with '#!'";
          case E2BIG -> "arguments and environment are too long together";
          default -> Errno.text(errno);
        };
    return new StartException(StartException.Reason.PROGRAM_NOT_RUNNABLE, what + why);
  }

  private static StartException workingDirectory(
      String cwd, int uid, int errno, String baseDigest) {
    String why =
        switch (errno) {
          case Errno.ENOENT ->
              "does not exist in the sandbox"
                  + (baseDigest.isEmpty() && hiddenOnHost(Path.of(cwd))
                      ? "; the host has it: create the sandbox with --expose " + cwd
                      : "");
          case Errno.ENOTDIR -> "is not a directory";
          case Errno.EACCES -> "may not be entered by uid=" + uid;
          default -> Errno.text(errno);
        };
    return new StartException(
        StartException.Reason.WORKING_DIRECTORY,
        "working directory " + Text.quote(cwd) + " " + why);
  }

  private static boolean hiddenOnHost(Path path) {
    return path.isAbsolute() && !BaseLayer.shown(path) && Files.exists(path);
  }

  /** Where the host itself would find the program, if the sandbox does not show that place. */
  private static @Nullable Path onHost(String program) {
    if (program.isEmpty()) {
      return null;
    }
    if (program.contains("/")) {
      Path path = Path.of(program);
      return hiddenOnHost(path) ? path : null;
    }
    for (String directory : System.getenv().getOrDefault("PATH", "").split(":")) {
      Path path = Path.of("/" + directory).resolve(program).normalize();
      if (hiddenOnHost(path) && Files.isExecutable(path)) {
        return path;
      }
    }
    return null;
  }
}
