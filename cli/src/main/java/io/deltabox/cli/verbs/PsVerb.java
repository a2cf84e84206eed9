package io.deltabox.cli.verbs;

import io.deltabox.Exec;
import io.deltabox.ProcessInfo;
import io.deltabox.Sandbox;
import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "ps", description = "List the commands and the processes of a sandbox.")
final class PsVerb extends SandboxVerb {
  @Option(names = "--all", description = "Also commands that have ended.")
  boolean all;

  PsVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException {
    Sandbox target = target();
    List<Exec> execs =
        target.execs().stream().filter(exec -> all || !exec.status().ended()).toList();
    List<ProcessInfo> processes = target.processes();
    Table commands = new Table("EXEC", "PID", "STARTED", "STATE", "COMMAND");
    for (Exec exec : execs) {
      String ended = exec.status().ended() ? " " + exec.status().shellCode() : "";
      commands.row(
          exec.id(),
          exec.pid(),
          Format.time(exec.time()),
          Describe.state(exec.status()) + ended,
          String.join(" ", exec.spec().argv()));
    }
    Table table = new Table("PID", "PARENT", "UID", "S", "THREADS", "MEMORY", "COMMAND");
    for (ProcessInfo process : processes) {
      table.row(
          process.pid(),
          process.parentPid(),
          process.uid(),
          process.state(),
          process.threadCount(),
          Format.bytes(process.residentBytes()),
          process.command());
    }
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("execs", execs.stream().map(Describe::exec).toList());
    value.put("processes", processes.stream().map(Describe::process).toList());
    return answer(value, commands + "\n\n" + table);
  }
}
