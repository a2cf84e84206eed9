package io.deltabox.cli.verbs;

import io.deltabox.ExecSpec;
import io.deltabox.InvalidRequestException;
import io.deltabox.TerminalSize;
import io.deltabox.cli.CommandContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of every verb that starts a command inside. */
final class ExecOptions {
  @Option(
      names = {"-d", "--detach"},
      description = "Do not wait: print the id of the command and return.")
  boolean detach;

  @Option(
      names = {"-t", "--tty"},
      description = "Give the command a terminal.")
  boolean tty;

  @Option(
      names = {"-n", "--no-input"},
      description = "Give the command no input; else it reads the caller's.")
  boolean noInput;

  @Option(
      names = {"-e", "--env"},
      paramLabel = "NAME=VALUE",
      description = "Set a variable of the command's environment.")
  List<String> env = new ArrayList<>();

  @Option(
      names = {"-w", "--cwd"},
      paramLabel = "DIR",
      description = "Working directory inside.")
  @Nullable String cwd;

  @Option(
      names = {"-u", "--user"},
      paramLabel = "UID[:GID]",
      description = "User inside; default 0.")
  @Nullable String user;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      description = "Kill the command with all it started after this time: 500ms, 30s, 5m.")
  @Nullable String timeout;

  ExecSpec spec(CommandContext context, List<String> argv) throws InvalidRequestException {
    if (argv.isEmpty()) {
      throw new InvalidRequestException("no command given: name a program to run inside");
    }
    ExecSpec.Builder builder = ExecSpec.builder(argv).cwd(cwd).background(detach);
    for (String pair : env) {
      int split = pair.indexOf('=');
      if (split <= 0) {
        throw new InvalidRequestException("--env must be NAME=VALUE: found='" + pair + "'");
      }
      builder.env(pair.substring(0, split), pair.substring(split + 1));
    }
    if (user != null) {
      int split = user.indexOf(':');
      int uid = id(user, split < 0 ? user : user.substring(0, split));
      builder.user(uid, split < 0 ? uid : id(user, user.substring(split + 1)));
    }
    if (timeout != null) {
      builder.timeout(Format.parseDuration("--timeout", timeout));
    }
    if (tty) {
      builder.tty(context.size().orElse(TerminalSize.DEFAULT));
      Map<String, String> caller = context.environment();
      builder.env("TERM", caller.getOrDefault("TERM", "xterm"));
    }
    if (noInput || detach) {
      builder.stdin(ExecSpec.Stdin.NONE);
    }
    return builder.build();
  }

  private static int id(String whole, String part) throws InvalidRequestException {
    try {
      int value = Integer.parseInt(part);
      if (value >= 0 && value <= 0xffff) {
        return value;
      }
    } catch (NumberFormatException e) {
      // Falls through to the one message.
    }
    throw new InvalidRequestException(
        "--user must be UID or UID:GID of 0..65535: found='" + whole + "'");
  }

  /** Drops the mark that ends our own options. */
  static List<String> command(List<String> words) {
    return !words.isEmpty() && words.get(0).equals("--") ? words.subList(1, words.size()) : words;
  }
}
