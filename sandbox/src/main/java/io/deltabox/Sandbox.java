package io.deltabox;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A running, isolated tree of processes with its files. Made by {@link DeltaBox#create}. It ends
 * with {@link #close}, with its box and with this process. Thread-safe; a checkpoint or rollback
 * waits for commands that are just being started and the other way round.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class Sandbox implements AutoCloseable {
  private final Id id;
  private final SandboxSpec spec;

  Sandbox(Id id, SandboxSpec spec) {
    this.id = id;
    this.spec = spec;
  }

  public Id id() {
    return id;
  }

  /** Its name, or null. */
  public @Nullable String name() {
    return spec.name();
  }

  /** What it was made from. */
  public SandboxSpec spec() {
    return spec;
  }

  /** When it was made. */
  public Instant time() {
    return id.instant();
  }

  /** False once it has ended, by itself or by {@link #close}. */
  public boolean running() {
    return false;
  }

  /** Things a user should know that hold for this sandbox on this machine: one line each. */
  public List<String> notices() {
    return List.of();
  }

  /**
   * Starts a command.
   *
   * @throws InvalidRequestException if a value of {@code spec} cannot be meant
   * @throws StartException if the command cannot be started; nothing of it ran
   * @throws SandboxClosedException if the sandbox has ended
   */
  public Exec start(ExecSpec spec) throws IOException {
    throw new SandboxClosedException("not connected yet");
  }

  /** Runs a command without input as root and waits for its end. */
  public ExecResult exec(String... argv) throws IOException, InterruptedException {
    return exec(ExecSpec.builder(argv).stdin(ExecSpec.Stdin.NONE).build());
  }

  /** Runs a command and waits for its end; its input is closed at once. */
  public ExecResult exec(ExecSpec spec) throws IOException, InterruptedException {
    throw new SandboxClosedException("not connected yet");
  }

  /**
   * A command by its id.
   *
   * @throws NotFoundException if there is none, or if it ended so long ago that it is forgotten
   */
  public Exec exec(int execId) throws SandboxException {
    throw new NotFoundException("no such command: id=" + execId + " sandbox=" + id.brief());
  }

  /** Running commands and the latest finished ones, by id. */
  public List<Exec> execs() {
    return List.of();
  }

  /** What runs inside at this moment, by pid; the list may be torn while processes come and go. */
  public List<ProcessInfo> processes() throws IOException {
    return List.of();
  }

  /** Same as {@code checkpoint(null)}. */
  public Snapshot checkpoint() throws IOException {
    return checkpoint(null);
  }

  /**
   * Makes a snapshot of all processes and files. After a failure the sandbox runs on as before and
   * nothing is lost for the next checkpoint.
   *
   * @param name label, unique in the sandbox; moved here when another snapshot had it; or null
   */
  public Snapshot checkpoint(@Nullable String name) throws IOException {
    throw new SandboxClosedException("not connected yet");
  }

  /** Puts the sandbox back to a snapshot of its lineage. */
  public RollbackResult rollback(Snapshot snapshot) throws IOException {
    return rollback(snapshot.id().toString());
  }

  /**
   * Puts the sandbox back to a snapshot of its lineage.
   *
   * @param snapshot as {@link #snapshot} takes it
   */
  public RollbackResult rollback(String snapshot) throws IOException {
    throw new SandboxClosedException("not connected yet");
  }

  /**
   * Finds a snapshot of this sandbox.
   *
   * @param wanted full id, a prefix of at least {@value DeltaBox#PREFIX_MIN} characters, name, or
   *     {@code @-N} for the N-th before the current one ({@code @-0} is the current one)
   */
  public Snapshot snapshot(String wanted) throws IOException {
    throw new NotFoundException("no such snapshot: " + Text.quote(wanted));
  }

  /** All snapshots kept, oldest first. */
  public List<Snapshot> snapshots() throws IOException {
    return List.of();
  }

  /** The current snapshot and those before it, newest first. */
  public List<Snapshot> lineage() throws IOException {
    return List.of();
  }

  /** The snapshot the sandbox was last saved as or put back to, or null before the first. */
  public @Nullable Snapshot current() throws IOException {
    return null;
  }

  /** What changed from one snapshot to another; both as {@link #snapshot} takes them. */
  public SnapshotDiff diff(String from, String to) throws IOException {
    throw new SandboxClosedException("not connected yet");
  }

  /** Forgets a snapshot; what other snapshots need of it stays. */
  public void remove(String snapshot) throws IOException {
    throw new SandboxClosedException("not connected yet");
  }

  /** Kills everything inside and forgets its snapshots and files. Idempotent. */
  @Override
  public void close() {}
}
