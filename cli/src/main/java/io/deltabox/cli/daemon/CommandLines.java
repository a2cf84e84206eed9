package io.deltabox.cli.daemon;

import io.deltabox.cli.CommandContext;
import io.deltabox.cli.ExitCodes;
import io.deltabox.cli.VerbProvider;
import io.deltabox.cli.verbs.Verbs;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.lang.System.Logger.Level;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import picocli.CommandLine;

/** Builds the command line of all verbs for one session and runs it. Thread-safe. */
final class CommandLines {
  private static final System.Logger LOG = System.getLogger(CommandLines.class.getName());

  private final List<VerbProvider> providers = new ArrayList<>(Verbs.all());

  CommandLines() {
    ServiceLoader.load(VerbProvider.class).forEach(providers::add);
  }

  /** Loads what the first command needs. */
  void warm() {
    try {
      PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
      CommandLine root = Verbs.root();
      root.setOut(nowhere).setErr(nowhere).execute("--version");
    } catch (RuntimeException e) {
      LOG.log(Level.DEBUG, "warming up failed", e);
    }
  }

  private CommandLine build(CommandContext context, Complaints complaints) {
    CommandLine root = Verbs.root();
    for (VerbProvider provider : providers) {
      root.addSubcommand(provider.verb(context));
    }
    root.setOut(context.out());
    root.setErr(context.err());
    Verbs.finish(root);
    root.setParameterExceptionHandler(
        (problem, arguments) -> {
          CommandLine line = problem.getCommandLine();
          String said = firstLine(String.valueOf(problem.getMessage()));
          String way = " (see '" + line.getCommandSpec().qualifiedName() + " --help')";
          return complaints.say(line, said + way, ExitCodes.USAGE);
        });
    root.setExecutionExceptionHandler(
        (failure, line, result) -> report(context, complaints, failure, line));
    return root;
  }

  /** Runs the verb; the result is the exit code. */
  int run(Session session) {
    if (!session.request().problem().isEmpty()) {
      session.err().println("deltabox: " + session.request().problem());
      return ExitCodes.USAGE;
    }
    try {
      List<String> arguments = session.request().arguments();
      CommandLine root = build(session, new Complaints(session, arguments));
      int code = root.execute(arguments.toArray(String[]::new));
      return session.cancelled() ? session.cancelCode() : code;
    } catch (RuntimeException | Error e) {
      LOG.log(Level.ERROR, "verb failed: " + session.request().arguments(), e);
      session.err().println("deltabox: internal error: " + e + " (see 'deltabox daemon status')");
      return ExitCodes.FAILED;
    }
  }

  private static int report(
      CommandContext context, Complaints complaints, Exception failure, CommandLine line) {
    int code = ExitCodes.of(failure);
    if (context.cancelled()) {
      LOG.log(Level.DEBUG, "verb was cancelled: " + line.getCommandName(), failure);
      return code;
    }
    if (failure instanceof IOException) {
      LOG.log(Level.DEBUG, "verb failed: " + line.getCommandName(), failure);
      return complaints.say(line, message(failure), code);
    }
    LOG.log(Level.ERROR, "verb failed: " + line.getCommandName(), failure);
    return complaints.say(line, "internal error: " + failure + " (the log has more)", code);
  }

  /** The JDK's file exceptions say only the path when the system gave no text. */
  private static String message(Exception failure) {
    String said = firstLine(String.valueOf(failure.getMessage()));
    boolean bare = failure instanceof FileSystemException file && file.getReason() == null;
    return bare ? failure.getClass().getSimpleName() + " path=" + said : said;
  }

  private static String firstLine(String text) {
    int end = text.indexOf('\n');
    return end < 0 ? text : text.substring(0, end);
  }
}
