package io.deltabox.cli.demo;

import io.deltabox.cli.CommandContext;
import io.deltabox.cli.VerbProvider;
import java.util.concurrent.Callable;

/** Adds the verb {@code demo}. */
public final class DemoProvider implements VerbProvider {
  @Override
  public Callable<Integer> verb(CommandContext context) {
    return new DemoVerb(context);
  }
}
