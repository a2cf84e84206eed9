package io.deltabox.cli.verbs;

import io.deltabox.RollbackResult;
import io.deltabox.Sandbox;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import picocli.CommandLine.Command;

@Command(
    name = "undo",
    description = "Take the last rollback of a sandbox back; once more takes that back.")
final class UndoVerb extends SandboxVerb {
  UndoVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException {
    Sandbox target = target();
    RollbackResult done = target.undo();
    return answer(Describe.rollback(target, done), Describe.rollbackText(done));
  }
}
