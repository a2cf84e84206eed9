package io.deltabox.cli.verbs;

import io.deltabox.Exec;
import io.deltabox.Sandbox;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
    name = "exec",
    description = "Run a command in a sandbox with the caller's input, output and errors.")
final class ExecVerb extends Verb {
  @Mixin ExecOptions options = new ExecOptions();

  @Parameters(index = "0", paramLabel = "SANDBOX", description = "Id, prefix or name.")
  @Nullable String sandbox;

  @Parameters(
      index = "1..*",
      paramLabel = "COMMAND",
      arity = "0..*",
      description = "Program and arguments.")
  List<String> words = new ArrayList<>();

  ExecVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    Sandbox target = Targets.sandbox(context.box(), given(sandbox));
    Exec exec = target.start(options.spec(context, ExecOptions.command(words)));
    if (options.detach) {
      return answer(Describe.exec(exec), String.valueOf(exec.id()));
    }
    return Streamer.follow(this, target, exec, Streamer.Orphan.KILLED);
  }
}
