package io.deltabox.cli.verbs;

import io.deltabox.NotFoundException;
import io.deltabox.Sandbox;
import io.deltabox.Snapshot;
import io.deltabox.cli.CommandContext;
import io.deltabox.cli.Json;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "show", description = "Describe a sandbox or a snapshot.")
final class ShowVerb extends Verb {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "THING",
      description = "Sandbox or snapshot; the only sandbox when left out.")
  @Nullable String thing;

  ShowVerb(CommandContext context) {
    super(context);
  }

  @Override
  public Integer call() throws IOException {
    Map<String, Object> value = find();
    StringBuilder text = new StringBuilder();
    for (Map.Entry<String, Object> entry : value.entrySet()) {
      Object shown = entry.getValue();
      text.append(text.length() == 0 ? "" : "\n").append(entry.getKey()).append(": ");
      text.append(shown instanceof String ? shown : Json.text(shown));
    }
    return answer(value, text.toString());
  }

  private Map<String, Object> find() throws IOException {
    if (thing == null || !Targets.namesSnapshot(thing)) {
      try {
        return sandbox(Targets.sandbox(context.box(), thing));
      } catch (NotFoundException e) {
        if (thing == null) {
          throw e;
        }
      }
    }
    Snapshot snapshot;
    try {
      snapshot = Targets.snapshot(context.box(), thing).snapshot();
    } catch (NotFoundException e) {
      throw Targets.namesSnapshot(thing)
          ? e
          : new NotFoundException(
              "no such sandbox or snapshot: '"
                  + thing.replaceAll("\\p{Cntrl}", "?")
                  + "' (see them with 'deltabox ls' and 'deltabox log')");
    }
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("kind", "snapshot");
    value.putAll(Describe.snapshot(snapshot));
    return value;
  }

  private static Map<String, Object> sandbox(Sandbox sandbox) throws IOException {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("kind", "sandbox");
    value.putAll(Describe.sandbox(sandbox));
    value.put("hostname", sandbox.spec().hostname());
    value.put("memory_bytes_max", sandbox.spec().memoryBytesMax());
    value.put("disk_bytes_max", sandbox.spec().upperBytesMax());
    value.put("cpus", sandbox.spec().cpus());
    value.put("processes_max", sandbox.spec().processesMax());
    value.put("exposed", sandbox.spec().exposed());
    value.put("notices", sandbox.notices());
    return value;
  }
}
