package io.deltabox.cli.verbs;

import com.fasterxml.jackson.databind.node.NullNode;
import io.deltabox.CheckpointStats;
import io.deltabox.Exec;
import io.deltabox.ExecStatus;
import io.deltabox.Id;
import io.deltabox.ProcessInfo;
import io.deltabox.RollbackResult;
import io.deltabox.Sandbox;
import io.deltabox.Snapshot;
import io.deltabox.capture.InjectedWork;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The JSON forms of things, the same in every verb. */
final class Describe {
  private Describe() {}

  static Map<String, Object> sandbox(Sandbox sandbox) throws IOException {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("id", sandbox.id().toString());
    put(out, "name", sandbox.name());
    out.put("created", sandbox.time().toString());
    out.put("running", sandbox.running());
    Snapshot current = sandbox.current();
    put(out, "current", current == null ? null : current.id().toString());
    out.put("snapshots", sandbox.snapshots().size());
    out.put("execs", sandbox.execs().stream().filter(exec -> !exec.status().ended()).count());
    return out;
  }

  static Map<String, Object> snapshot(Snapshot snapshot) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("id", snapshot.id().toString());
    put(out, "name", snapshot.name());
    out.put("sandbox", snapshot.sandboxId().toString());
    Id parent = snapshot.parent();
    put(out, "parent", parent == null ? null : parent.toString());
    out.put("created", snapshot.time().toString());
    out.put("unchanged", snapshot.unchanged());
    out.put("left_by_rollback", snapshot.leftByRollback());
    CheckpointStats stats = snapshot.stats();
    out.put("pause_ms", Format.milliseconds(stats.pauseNanos()));
    out.put("call_ms", Format.milliseconds(stats.callNanos()));
    out.put("phases_ms", phases(stats.phaseNanos()));
    out.put("processes", stats.processCount());
    out.put("threads", stats.threadCount());
    out.put("pages", stats.pageCount());
    out.put("files", stats.fileCount());
    out.put("bytes", stats.bytes());
    return out;
  }

  static Map<String, Object> rollback(Sandbox sandbox, RollbackResult done) throws IOException {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("sandbox", sandbox.id().toString());
    value.put("snapshot", done.target().id().toString());
    Snapshot left = done.left();
    put(value, "left", left == null ? null : left.id().toString());
    put(value, "not_kept", done.notKept());
    value.put("rebuilt", done.rebuilt());
    put(value, "rebuilt_because", done.rebuiltBecause());
    value.put("pause_ms", Format.milliseconds(done.pauseNanos()));
    value.put("call_ms", Format.milliseconds(done.callNanos()));
    value.put("phases_ms", phases(done.phaseNanos()));
    value.put("pages", done.pageCount());
    value.put("files", done.fileCount());
    value.put("processes_ended", done.processesEnded());
    value.put("processes_made", done.processesMade());
    value.put("execs_rolled_back", done.rolledBack());
    value.put("execs_going_on", done.goesOn());
    List<Map<String, Object>> injected = new ArrayList<>();
    done.injected()
        .forEach(
            one ->
                injected.add(Map.of("pid", one.pid(), "stops", one.stops(), "calls", one.calls())));
    value.put("injected", injected);
    value.put("checked", sandbox.checked(done.target()));
    return value;
  }

  /** Where the pause went, and what each process did itself to be put back. */
  static String rollbackTimings(RollbackResult done) {
    StringBuilder text = new StringBuilder();
    done.phaseNanos()
        .forEach(
            (phase, nanos) ->
                text.append(String.format("%n  %-12s %10s", phase, Format.millis(nanos))));
    for (InjectedWork one : done.injected()) {
      text.append(
          String.format(
              "%n  pid %-8d %10d calls inside in %d stops", one.pid(), one.calls(), one.stops()));
    }
    return text.toString();
  }

  /** One line for people. */
  static String rollbackText(RollbackResult done) {
    return done.target().id()
        + "  paused "
        + Format.millis(done.pauseNanos())
        + ", "
        + done.pageCount()
        + " pages, "
        + done.fileCount()
        + " files, "
        + done.processesEnded()
        + " processes ended, "
        + done.processesMade()
        + " made"
        + (done.rebuilt() ? ", rebuilt whole because " + done.rebuiltBecause() : "")
        + (done.notKept() == null ? "" : "\ncannot be undone: " + done.notKept());
  }

  static Map<String, Double> phases(Map<String, Long> nanos) {
    Map<String, Double> out = new LinkedHashMap<>();
    nanos.forEach((phase, value) -> out.put(phase, Format.milliseconds(value)));
    return out;
  }

  static Map<String, Object> exec(Exec exec) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("id", exec.id());
    out.put("pid", exec.pid());
    out.put("argv", exec.spec().argv());
    out.put("started", exec.time().toString());
    out.put("state", state(exec.status()));
    if (exec.status().ended()) {
      out.put("exit", exec.status().shellCode());
    }
    return out;
  }

  static String state(ExecStatus status) {
    return switch (status.outcome()) {
      case RUNNING -> "running";
      case EXITED -> "exited";
      case SIGNALED -> "signaled";
      case TIMED_OUT -> "timed out";
      case ROLLED_BACK -> "rolled back";
      case SANDBOX_ENDED -> "sandbox ended";
    };
  }

  static Map<String, Object> process(ProcessInfo process) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("pid", process.pid());
    out.put("parent", process.parentPid());
    out.put("uid", process.uid());
    out.put("state", String.valueOf(process.state()));
    out.put("threads", process.threadCount());
    out.put("resident_bytes", process.residentBytes());
    out.put("command", process.command());
    return out;
  }

  /** Null has no place in a value of the map, but in the JSON it says that there is none. */
  private static void put(Map<String, Object> out, String key, @Nullable Object value) {
    out.put(key, value == null ? NullNode.getInstance() : value);
  }
}
