package io.deltabox.cli.verbs;

import io.deltabox.Exec;
import io.deltabox.Sandbox;
import io.deltabox.StartException;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(name = "shell", description = "Open a shell in a sandbox on the caller's terminal.")
final class ShellVerb extends SandboxVerb {
  @Mixin ExecOptions options = new ExecOptions();

  ShellVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    Sandbox target = target();
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
