package io.deltabox;

import java.nio.charset.StandardCharsets;

/**
 * A finished command with what it wrote.
 *
 * <p>At most the last {@link Exec#OUTPUT_KEPT_MAX} bytes of each stream are kept; {@link
 * #stdoutTruncated} tells whether there was more.
 */
public final class ExecResult {
  private final int id;
  private final ExecStatus status;
  private final byte[] stdout;
  private final byte[] stderr;
  private final boolean stdoutTruncated;
  private final boolean stderrTruncated;

  ExecResult(
      int id,
      ExecStatus status,
      byte[] stdout,
      byte[] stderr,
      boolean stdoutTruncated,
      boolean stderrTruncated) {
    this.id = id;
    this.status = status;
    this.stdout = stdout;
    this.stderr = stderr;
    this.stdoutTruncated = stdoutTruncated;
    this.stderrTruncated = stderrTruncated;
  }

  /** Id of the command in its sandbox. */
  public int id() {
    return id;
  }

  public ExecStatus status() {
    return status;
  }

  /** Same as {@code status().shellCode()}. */
  public int exitCode() {
    return status.shellCode();
  }

  /** Output as text. */
  public String stdout() {
    return new String(stdout, StandardCharsets.UTF_8);
  }

  /** Errors as text. */
  public String stderr() {
    return new String(stderr, StandardCharsets.UTF_8);
  }

  /** A copy of the output. */
  public byte[] stdoutBytes() {
    return stdout.clone();
  }

  /** A copy of the errors. */
  public byte[] stderrBytes() {
    return stderr.clone();
  }

  public boolean stdoutTruncated() {
    return stdoutTruncated;
  }

  public boolean stderrTruncated() {
    return stderrTruncated;
  }

  @Override
  public String toString() {
    return "exec " + id + " " + status;
  }
}
