package io.deltabox;

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
 */
public record SandboxSpec(
    @Nullable String name,
    String hostname,
    long memoryBytesMax,
    double cpus,
    long processesMax,
    long upperBytesMax,
    List<String> exposed,
    Map<String, String> env) {
  public static final String HOSTNAME_DEFAULT = "sandbox";

  public SandboxSpec {
    exposed = List.copyOf(exposed);
    env = Map.copyOf(env);
  }

  /** The same under another name. */
  SandboxSpec named(@Nullable String other) {
    return new SandboxSpec(
        other, hostname, memoryBytesMax, cpus, processesMax, upperBytesMax, exposed, env);
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

    public SandboxSpec build() {
      // Half of the memory at most, so that a full disk inside is ENOSPC before the memory limit
      // kills.
      long upper = upperBytesMax != null ? upperBytesMax : Math.min(4L << 30, memoryBytesMax / 2);
      return new SandboxSpec(
          name, hostname, memoryBytesMax, cpus, processesMax, upper, exposed, env);
    }
  }
}
