package io.deltabox.cli.verbs;

import io.deltabox.Sandbox;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Parameters;

/** A verb about one sandbox, which need not be named while it is the only one. */
abstract class SandboxVerb extends Verb {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "SANDBOX",
      description = "Id, prefix or name; the only sandbox when left out.")
  @Nullable String sandbox;

  SandboxVerb(CommandContext context) {
    super(context);
  }

  /** The sandbox meant. */
  Sandbox target() throws IOException {
    return Targets.sandbox(context.box(), sandbox);
  }
}
