package io.deltabox;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A command to be started in a sandbox.
 *
 * @param argv program and arguments; a program without a slash is looked up in the sandbox's PATH
 * @param env added to the environment of the sandbox, which it overrides
 * @param cwd working directory inside; null is the home directory of the user
 * @param uid user, 0..65535
 * @param gid group, 0..65535
 * @param tty terminal of that size instead of pipes, or null; output and errors are then one stream
 * @param stdin where its input comes from
 * @param timeout time after which the command with everything it started is killed, or null
 * @param background true if nobody need read its output: the last part is kept, nothing ever waits
 */
public record ExecSpec(
    List<String> argv,
    Map<String, String> env,
    @Nullable String cwd,
    int uid,
    int gid,
    @Nullable TerminalSize tty,
    Stdin stdin,
    @Nullable Duration timeout,
    boolean background) {

  /** Where a command's input comes from. */
  public enum Stdin {
    /** {@link Exec#stdin()}. */
    PIPE,
    /** {@code /dev/null}. */
    NONE
  }

  public ExecSpec {
    argv = List.copyOf(argv);
    env = Map.copyOf(env);
  }

  /** A command as root in its home directory, with pipes. */
  public static ExecSpec of(String... argv) {
    return builder(argv).build();
  }

  /** A builder for a command. */
  public static Builder builder(String... argv) {
    return new Builder(List.of(argv));
  }

  /** A builder for a command. */
  public static Builder builder(List<String> argv) {
    return new Builder(argv);
  }

  /** Collects the values of an {@link ExecSpec}. Not thread-safe. */
  public static final class Builder {
    private final List<String> argv;
    private final Map<String, String> env = new LinkedHashMap<>();
    private @Nullable String cwd;
    private int uid;
    private int gid;
    private @Nullable TerminalSize tty;
    private @Nullable Stdin stdin;
    private @Nullable Duration timeout;
    private boolean background;

    private Builder(List<String> argv) {
      this.argv = List.copyOf(argv);
    }

    public Builder env(String key, String value) {
      env.put(key, value);
      return this;
    }

    public Builder env(Map<String, String> values) {
      env.putAll(values);
      return this;
    }

    public Builder cwd(@Nullable String value) {
      cwd = value;
      return this;
    }

    /** User and group. */
    public Builder user(int uidValue, int gidValue) {
      uid = uidValue;
      gid = gidValue;
      return this;
    }

    public Builder tty(@Nullable TerminalSize value) {
      tty = value;
      return this;
    }

    public Builder stdin(Stdin value) {
      stdin = value;
      return this;
    }

    public Builder timeout(@Nullable Duration value) {
      timeout = value;
      return this;
    }

    public Builder background(boolean value) {
      background = value;
      return this;
    }

    public ExecSpec build() {
      Stdin source = stdin != null ? stdin : background ? Stdin.NONE : Stdin.PIPE;
      return new ExecSpec(argv, env, cwd, uid, gid, tty, source, timeout, background);
    }
  }
}
