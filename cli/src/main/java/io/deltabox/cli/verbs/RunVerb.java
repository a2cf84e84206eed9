package io.deltabox.cli.verbs;

import io.deltabox.Exec;
import io.deltabox.ExecSpec;
import io.deltabox.InvalidRequestException;
import io.deltabox.Sandbox;
import io.deltabox.SandboxSpec;
import io.deltabox.cli.CommandContext;
import io.deltabox.cli.ExitCodes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "run",
    description = {
      "Start a sandbox; with COMMAND also run it inside and wait for it.",
      "The sandbox lives on until 'rm' or the end of the daemon."
    })
final class RunVerb extends Verb {
  @Option(names = "--name", paramLabel = "NAME", description = "Label, unique among sandboxes.")
  @Nullable String name;

  @Option(names = "--hostname", paramLabel = "NAME", description = "Host name inside.")
  @Nullable String hostname;

  @Option(names = "--memory", paramLabel = "SIZE", description = "Memory limit: 512m, 2g.")
  @Nullable String memory;

  @Option(names = "--disk", paramLabel = "SIZE", description = "Limit of written files.")
  @Nullable String disk;

  @Option(names = "--cpus", paramLabel = "N", description = "Processor limit, such as 1.5.")
  @Nullable Double cpus;

  @Option(names = "--processes", paramLabel = "N", description = "Limit of processes and threads.")
  @Nullable Long processes;

  @Option(
      names = "--expose",
      paramLabel = "PATH",
      description = "Show a path of the host inside, read-only; may be repeated.")
  List<String> expose = new ArrayList<>();

  @Option(names = "--rm", description = "End the sandbox when the command has ended.")
  boolean remove;

  @Option(
      names = "--check",
      description = {
        "Prove every checkpoint and rollback: an independent reader takes an image of everything",
        "at each checkpoint and compares after each rollback. Slow."
      })
  boolean check;

  @Mixin ExecOptions options = new ExecOptions();

  @Parameters(paramLabel = "COMMAND", arity = "0..*", description = "Program and arguments.")
  List<String> words = new ArrayList<>();

  RunVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<String> argv = ExecOptions.command(words);
    ExecSpec exec = argv.isEmpty() ? null : options.spec(context, argv);
    if (exec == null && (remove || options.tty)) {
      throw new InvalidRequestException("--rm and --tty need a command");
    }
    Sandbox sandbox = context.box().create(spec());
    try {
      context.remember(sandbox);
      if (!json) {
        sandbox.notices().forEach(line -> context.err().println("deltabox: note: " + line));
      }
      if (check) {
        sandbox.checking(true);
      }
      return exec == null ? created(sandbox, null) : start(sandbox, exec);
    } catch (IOException | RuntimeException e) {
      // Nobody has learnt its id.
      end(sandbox);
      throw e;
    }
  }

  private int start(Sandbox sandbox, ExecSpec spec) throws IOException, InterruptedException {
    Exec exec = sandbox.start(spec);
    if (options.detach) {
      return created(sandbox, exec);
    }
    if (!remove && !json) {
      context.err().println("deltabox: sandbox " + Targets.label(sandbox));
    }
    try {
      return Streamer.follow(this, sandbox, exec, Streamer.Orphan.KILLED);
    } finally {
      if (remove) {
        end(sandbox);
      }
    }
  }

  private int created(Sandbox sandbox, @Nullable Exec exec) throws IOException {
    Map<String, Object> value = new LinkedHashMap<>(Describe.sandbox(sandbox));
    value.put("notices", sandbox.notices());
    if (exec != null) {
      value.put("exec", exec.id());
    }
    answer(value, sandbox.id().toString());
    return ExitCodes.OK;
  }

  private void end(Sandbox sandbox) throws IOException {
    sandbox.close();
    context.forget(sandbox.id().toString());
  }

  private SandboxSpec spec() throws InvalidRequestException {
    SandboxSpec.Builder builder = SandboxSpec.builder().name(name);
    if (hostname != null) {
      builder.hostname(hostname);
    }
    if (memory != null) {
      builder.memoryBytesMax(Format.parseBytes("--memory", memory));
    }
    if (disk != null) {
      builder.upperBytesMax(Format.parseBytes("--disk", disk));
    }
    if (cpus != null) {
      builder.cpus(cpus);
    }
    if (processes != null) {
      builder.processesMax(processes);
    }
    expose.forEach(builder::expose);
    return builder.build();
  }
}
