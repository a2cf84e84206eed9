package io.deltabox.cli.verbs;

import io.deltabox.Sandbox;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "attach",
    description = {
      "Follow a command that was started before: the output kept, then what comes.",
      "The command goes on when the caller goes away."
    })
final class AttachVerb extends Verb {
  @Parameters(index = "0", paramLabel = "SANDBOX", description = "Id, prefix or name.")
  @Nullable String sandbox;

  @Parameters(index = "1", paramLabel = "EXEC", description = "Number of the command (see 'ps').")
  int exec;

  AttachVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    Sandbox target = Targets.sandbox(context.box(), given(sandbox));
    return Streamer.follow(this, target, target.exec(exec), Streamer.Orphan.GOES_ON);
  }
}
