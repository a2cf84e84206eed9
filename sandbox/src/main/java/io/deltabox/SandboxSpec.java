package io.deltabox;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a new sandbox is to be. Values are checked when the sandbox is made, so that one message
 * names what is wrong.
 *
 * @param name label unique among the running sandboxes of a box, or null
 * @param hostname what {@code hostname} says inside
 * @param memoryBytesMax memory of all processes and files together
 * @param cpus processors' worth of time per second; fractions allowed
 * @param processesMax processes and threads together
 * @param upperBytesMax bytes of files the sandbox may write; the memory limit counts them too
 * @param exposed absolute host paths shown inside read-only, beside the base
 * @param env environment every command starts with
 * @param base directory of a file tree that is the base instead of the host's files, or null; the
 *     tree must not change any more
 */
public record SandboxSpec(
    @Nullable String name,
    String hostname,
    long memoryBytesMax,
    double cpus,
    long processesMax,
    long upperBytesMax,
    List<String> exposed,
    Map<String, String> env,
    @Nullable BaseTree base) {
  /**
   * A file tree of DeltaBox's own.
   *
   * @param digest says what is in it, lower case hexadecimal; equal digests mean equal trees
   * @param directory where it is laid out
   */
  public record BaseTree(String digest, Path directory) {
    public BaseTree {
      if (!digest.matches("[0-9a-f]{64}")) {
        throw new IllegalArgumentException(
            "digest of a base must be 64 hexadecimal digits: found=" + digest);
      }
      directory = directory.toAbsolutePath().normalize();
    }
  }

  public static final String HOSTNAME_DEFAULT = "sandbox";

  public SandboxSpec {
    exposed = List.copyOf(exposed);
    env = Map.copyOf(env);
  }

  /** The same under another name. */
  SandboxSpec named(@Nullable String other) {
    return new SandboxSpec(
        other, hostname, memoryBytesMax, cpus, processesMax, upperBytesMax, exposed, env, base);
  }

  /** Defaults: no name, half of the machine's memory, all processors. */
  public static SandboxSpec defaults() {
    return builder().build();
  }

  /** A builder set to the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects the values of a {@link SandboxSpec}. Not thread-safe. */
  public static final class Builder {
    private @Nullable String name;
    private String hostname = HOSTNAME_DEFAULT;
    private long memoryBytesMax = MachineMemory.totalBytes() / 2;
    private double cpus = Runtime.getRuntime().availableProcessors();
    private long processesMax = 4096;
    private @Nullable Long upperBytesMax;
    private @Nullable BaseTree base;
    private final List<String> exposed = new ArrayList<>();
    private final Map<String, String> env = new LinkedHashMap<>();

    private Builder() {}

    public Builder name(@Nullable String value) {
      name = value;
      return this;
    }

    public Builder hostname(String value) {
      hostname = value;
      return this;
    }

    public Builder memoryBytesMax(long value) {
      memoryBytesMax = value;
      return this;
    }

    public Builder cpus(double value) {
      cpus = value;
      return this;
    }

    public Builder processesMax(long value) {
      processesMax = value;
      return this;
    }

    public Builder upperBytesMax(long value) {
      upperBytesMax = value;
      return this;
    }

    /** Adds a host path to be shown inside, read-only. */
    public Builder expose(String path) {
      exposed.add(path);
      return this;
    }

    /** Adds a variable to the environment of every command. */
    public Builder env(String key, String value) {
      env.put(key, value);
      return this;
    }

    /** The tree that is the base; null: the host's files. */
    public Builder base(@Nullable BaseTree value) {
      base = value;
      return this;
    }

    public SandboxSpec build() {
      // Half of the memory at most, so that a full disk inside is ENOSPC before the memory limit
      // kills.
      long upper = upperBytesMax != null ? upperBytesMax : Math.min(4L << 30, memoryBytesMax / 2);
      return new SandboxSpec(
          name, hostname, memoryBytesMax, cpus, processesMax, upper, exposed, env, base);
    }
  }
}
