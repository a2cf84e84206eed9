package io.deltabox.cli.verbs;

import io.deltabox.cli.VerbProvider;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command's root and its built-in verbs. */
public final class Verbs {
  /** After these the words of a command that runs inside begin; its options are not ours. */
  private static final List<String> TAKE_COMMANDS = List.of("run", "exec", "shell");

  private Verbs() {}

  /** Providers of the built-in verbs, in the order of the help. */
  public static List<VerbProvider> all() {
    return List.of(
        RunVerb::new,
        ExecVerb::new,
        AttachVerb::new,
        ShellVerb::new,
        CheckpointVerb::new,
        RollbackVerb::new,
        UndoVerb::new,
        RestoreVerb::new,
        LogVerb::new,
        TreeVerb::new,
        ShowVerb::new,
        DiffVerb::new,
        LsVerb::new,
        PsVerb::new,
        KillVerb::new,
        RmVerb::new,
        DoctorVerb::new,
        DaemonVerb::new);
  }

  /** The command without its verbs. */
  public static CommandLine root() {
    return new CommandLine(new Root()).addSubcommand(new HelpCommand());
  }

  /**
   * Whether the caller asked for JSON, also when the command line was not understood as a whole.
   *
   * @param arguments of the whole command; words of a command inside do not count
   */
  public static boolean wantsJson(CommandLine verb, List<String> arguments) {
    if (verb.getCommand() instanceof Verb known && known.json) {
      return true;
    }
    int from = arguments.indexOf(verb.getCommandName()) + 1;
    for (String word : arguments.subList(from, arguments.size())) {
      if (word.equals("--json")) {
        return true;
      }
      if (!word.startsWith("-") && TAKE_COMMANDS.contains(verb.getCommandName())) {
        return false;
      }
    }
    return false;
  }

  /** To be called when all verbs were added. */
  public static CommandLine finish(CommandLine root) {
    root.setExpandAtFiles(false);
    root.setUsageHelpWidth(100);
    for (Map.Entry<String, CommandLine> verb : root.getSubcommands().entrySet()) {
      if (TAKE_COMMANDS.contains(verb.getKey())) {
        verb.getValue().setStopAtPositional(true);
      }
    }
    return root;
  }

  @Command(
      name = "deltabox",
      description = "Save and rewind whole sandboxes: processes, memory and files.",
      mixinStandardHelpOptions = true,
      version = "deltabox 0.1.0-SNAPSHOT",
      synopsisSubcommandLabel = "VERB",
      footer = {
        "",
        "SANDBOX is an id, a prefix of at least 6 characters, or a name; it may be left out while",
        "one sandbox runs. SNAPSHOT is an id, a prefix, a name, SANDBOX@NAME, or SANDBOX@-N for the",
        "N-th before the current one.",
        "",
        "Exit codes: 0 ok, 1 failed, 2 usage, 3 unavailable here, 4 not found or ambiguous,",
        "5 unsupported inside the sandbox; of commands inside: their own, 124 time-out, 125 not",
        "started, 126 not runnable, 127 no such program, 128+N ended by signal N."
      })
  static final class Root implements Runnable {
    @Spec @Nullable CommandSpec spec;

    @Option(
        names = "--data",
        paramLabel = "DIR",
        description =
            "Root of all data; default $DELTABOX_DATA, /var/lib/deltabox (root) or"
                + " $XDG_DATA_HOME/deltabox. One daemon per root.")
    @Nullable String data;

    @Override
    public void run() {
      if (spec != null) {
        throw new ParameterException(spec.commandLine(), "no verb given");
      }
    }
  }
}
