package io.deltabox.bench;

import io.deltabox.cli.CommandContext;
import io.deltabox.cli.VerbProvider;
import java.util.concurrent.Callable;

/** Adds the verb {@code bench}. */
public final class BenchProvider implements VerbProvider {
  @Override
  public Callable<Integer> verb(CommandContext context) {
    return new BenchVerb(context);
  }
}
