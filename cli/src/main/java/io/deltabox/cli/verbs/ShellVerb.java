package io.deltabox.cli.verbs;

import io.deltabox.Exec;
import io.deltabox.Sandbox;
import io.deltabox.StartException;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "shell", description = "Open a shell in a sandbox on the caller's terminal.")
final class ShellVerb extends Verb {
  @Mixin ExecOptions options = new ExecOptions();

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "SANDBOX",
      description = "Id, prefix or name; the only sandbox when left out.")
  @Nullable String sandbox;

  ShellVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    Sandbox target = Targets.sandbox(context.box(), sandbox);
    options.tty = options.tty || context.terminal(0);
    Exec exec;
    try {
      exec = target.start(options.spec(context, List.of("/bin/bash")));
    } catch (StartException e) {
      if (e.reason() != StartException.Reason.PROGRAM_NOT_FOUND) {
        throw e;
      }
      exec = target.start(options.spec(context, List.of("/bin/sh")));
    }
    if (options.detach) {
      return answer(Describe.exec(exec), String.valueOf(exec.id()));
    }
    return Streamer.follow(this, target, exec, Streamer.Orphan.KILLED);
  }
}
