package io.deltabox;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.deltabox.capture.record.RecordReader;
import io.deltabox.capture.record.RecordWriter;
import io.deltabox.snapshot.SnapshotInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the daemon has to know of a stored snapshot: records of kinds of its own, each with a {@code
 * u32} version first, for what makes a sandbox of it; attributes for what is shown of it. Texts are
 * UTF-8.
 */
final class StoredFacts {
  /** Kinds below are the capture's. */
  static final int OWN_FROM = 100;

  /** A {@link SandboxSpec}. One per snapshot. */
  static final int SPEC = 100;

  /** All commands that ran. One per snapshot. */
  static final int COMMANDS = 101;

  private static final int VERSION = 1;

  private StoredFacts() {}

  static Map<String, String> attributes(RestorePoint point) {
    Snapshot snapshot = point.snapshot();
    CheckpointStats stats = snapshot.stats();
    Map<String, String> out = new LinkedHashMap<>();
    out.put("kind", "sandbox");
    out.put("sandbox", snapshot.sandboxId().toString());
    put(out, "sandbox_name", point.spec().name());
    put(out, "name", snapshot.name());
    put(out, "parent", snapshot.parent() == null ? null : snapshot.parent().toString());
    out.put("left_by_rollback", Boolean.toString(snapshot.leftByRollback()));
    out.put("pause_nanos", Long.toString(stats.pauseNanos()));
    out.put("call_nanos", Long.toString(stats.callNanos()));
    stats.phaseNanos().forEach((phase, nanos) -> out.put("phase/" + phase, Long.toString(nanos)));
    out.put("processes", Integer.toString(stats.processCount()));
    out.put("threads", Integer.toString(stats.threadCount()));
    out.put("pages", Long.toString(stats.pageCount()));
    out.put("files", Long.toString(stats.fileCount()));
    out.put("bytes", Long.toString(stats.bytes()));
    return out;
  }

  private static void put(Map<String, String> out, String key, @Nullable String value) {
    if (value != null) {
      out.put(key, value);
    }
  }

  /** The snapshot that a stored one is. */
  static Snapshot snapshot(SnapshotInfo info) throws IOException {
    Map<String, String> from = info.spec().attributes();
    String sandbox = from.get("sandbox");
    if (sandbox == null) {
      throw new SandboxException("stored snapshot is not of a sandbox: snapshot=" + info.id());
    }
    Map<String, Long> phases = new LinkedHashMap<>();
    from.forEach(
        (key, value) -> {
          if (key.startsWith("phase/")) {
            phases.put(key.substring("phase/".length()), Long.parseLong(value));
          }
        });
    String parent = from.get("parent");
    try {
      return new Snapshot(
          new Id(info.id().getMostSignificantBits(), info.id().getLeastSignificantBits()),
          Id.parse(sandbox),
          from.get("name"),
          parent == null ? null : Id.parse(parent),
          new CheckpointStats(
              number(from, "pause_nanos"),
              number(from, "call_nanos"),
              phases,
              (int) number(from, "processes"),
              (int) number(from, "threads"),
              number(from, "pages"),
              number(from, "files"),
              number(from, "bytes")),
          /* unchanged= */ false,
          Boolean.parseBoolean(from.get("left_by_rollback")));
    } catch (IllegalArgumentException e) {
      throw new SandboxException("stored snapshot is described wrongly: snapshot=" + info.id(), e);
    }
  }

  /** 0 for what an older or newer release does not tell. */
  private static long number(Map<String, String> from, String key) {
    return Long.parseLong(from.getOrDefault(key, "0"));
  }

  static ByteBuffer write(SandboxSpec spec) {
    RecordWriter out = RecordWriter.bare().number(VERSION);
    optional(out, spec.name());
    text(out, spec.hostname());
    out.number(spec.memoryBytesMax()).number(Double.doubleToLongBits(spec.cpus()));
    out.number(spec.processesMax()).number(spec.upperBytesMax());
    out.list(spec.exposed(), path -> text(out, path));
    map(out, spec.env());
    SandboxSpec.BaseTree base = spec.base();
    out.flag(base != null);
    if (base != null) {
      text(out, base.digest());
      text(out, base.directory().toString());
    }
    return out.done();
  }

  static SandboxSpec spec(ByteBuffer record) throws IOException {
    RecordReader in = open("sandbox", record);
    SandboxSpec spec =
        new SandboxSpec(
            optional(in),
            text(in),
            in.longNumber(),
            Double.longBitsToDouble(in.longNumber()),
            in.longNumber(),
            in.longNumber(),
            in.list(() -> text(in)),
            map(in),
            in.flag() ? new SandboxSpec.BaseTree(text(in), Path.of(text(in))) : null);
    in.done();
    return spec;
  }

  static ByteBuffer write(List<CapturedExec> commands) {
    RecordWriter out = RecordWriter.bare().number(VERSION);
    out.list(commands, command -> write(out, command));
    return out.done();
  }

  private static void write(RecordWriter out, CapturedExec command) {
    Instant time = command.time();
    out.number(command.id()).number(time.getEpochSecond()).number(time.getNano());
    out.number(command.pid()).flag(command.lossless()).number(command.terminal());
    out.list(command.links(), link -> text(out, link));
    ExecSpec spec = command.spec();
    out.list(spec.argv(), word -> text(out, word));
    map(out, spec.env());
    optional(out, spec.cwd());
    out.number(spec.uid()).number(spec.gid());
    TerminalSize size = spec.tty();
    out.flag(size != null);
    if (size != null) {
      out.number(size.rows()).number(size.columns());
    }
    text(out, spec.stdin().name());
    Duration timeout = spec.timeout();
    out.flag(timeout != null);
    if (timeout != null) {
      out.number(timeout.toNanos());
    }
    out.flag(spec.background());
  }

  static List<CapturedExec> commands(ByteBuffer record) throws IOException {
    RecordReader in = open("commands", record);
    List<CapturedExec> commands = in.list(() -> command(in));
    in.done();
    return commands;
  }

  private static CapturedExec command(RecordReader in) throws IOException {
    int id = in.number();
    Instant time = Instant.ofEpochSecond(in.longNumber(), in.number());
    int pid = in.number();
    boolean lossless = in.flag();
    int terminal = in.number();
    List<String> links = in.list(() -> text(in));
    ExecSpec spec =
        new ExecSpec(
            in.list(() -> text(in)),
            map(in),
            optional(in),
            in.number(),
            in.number(),
            in.flag() ? new TerminalSize(in.number(), in.number()) : null,
            in.constant(ExecSpec.Stdin.class),
            in.flag() ? Duration.ofNanos(in.longNumber()) : null,
            in.flag());
    return new CapturedExec(id, spec, time, pid, lossless, links, terminal);
  }

  private static RecordReader open(String what, ByteBuffer record) throws IOException {
    RecordReader in = RecordReader.bare(what, record);
    int version = in.number();
    if (version != VERSION) {
      throw new IOException(
          "read record failed: unknown version, written by another release: kind="
              + what
              + " version="
              + version
              + " known="
              + VERSION);
    }
    return in;
  }

  private static void text(RecordWriter out, String value) {
    out.bytes(value.getBytes(UTF_8));
  }

  private static String text(RecordReader in) throws IOException {
    return new String(in.array(), UTF_8);
  }

  private static void optional(RecordWriter out, @Nullable String value) {
    out.flag(value != null);
    text(out, value == null ? "" : value);
  }

  private static @Nullable String optional(RecordReader in) throws IOException {
    boolean there = in.flag();
    String value = text(in);
    return there ? value : null;
  }

  private static void map(RecordWriter out, Map<String, String> values) {
    out.list(
        new TreeMap<>(values).entrySet(),
        entry -> {
          text(out, entry.getKey());
          text(out, entry.getValue());
        });
  }

  private static Map<String, String> map(RecordReader in) throws IOException {
    Map<String, String> values = new LinkedHashMap<>();
    in.list(
        () -> {
          String key = text(in);
          values.put(key, text(in));
          return key;
        });
    return values;
  }
}
