package io.deltabox.cli.verbs;

import io.deltabox.RollbackResult;
import io.deltabox.Sandbox;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "undo",
    description = "Take the last rollback of a sandbox back; once more takes that back.")
final class UndoVerb extends Verb {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "SANDBOX",
      description = "Id, prefix or name; the only sandbox when left out.")
  @Nullable String sandbox;

  UndoVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException {
    Sandbox target = Targets.sandbox(context.box(), sandbox);
    RollbackResult done = target.undo();
    return answer(Describe.rollback(target, done), Describe.rollbackText(done));
  }
}
