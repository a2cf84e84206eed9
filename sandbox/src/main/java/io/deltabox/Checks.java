package io.deltabox;

import java.time.Duration;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Refuses what cannot be meant, before anything is done. */
final class Checks {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}");
  private static final Pattern HOST_NAME =
      Pattern.compile("[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?");
  private static final int ID_MAX = 65535;
  private static final long MEMORY_MIN = 16L << 20;
  private static final long UPPER_MIN = 1L << 20;
  private static final long PROCESSES_MIN = 4;
  private static final long CPUS_PER_MILLE_MIN = 10;

  private Checks() {}

  static void sandbox(SandboxSpec spec) throws InvalidRequestException {
    name("sandbox", spec.name());
    if (!HOST_NAME.matcher(spec.hostname()).matches()) {
      throw new InvalidRequestException(
          "host name must be letters, digits, '.' and '-', at most 63: found="
              + Text.quote(spec.hostname()));
    }
    atLeast("memory limit", spec.memoryBytesMax(), MEMORY_MIN, "bytes");
    atLeast("limit of processes", spec.processesMax(), PROCESSES_MIN, "processes");
    atLeast("limit of files", spec.upperBytesMax(), UPPER_MIN, "bytes");
    if (!(spec.cpus() * 1000 >= CPUS_PER_MILLE_MIN) || spec.cpus() > 10_000) {
      throw new InvalidRequestException(
          "processor limit must be 0.01 to 10000: found=" + spec.cpus());
    }
    variables(spec.env());
  }

  private static void atLeast(String what, long found, long least, String unit)
      throws InvalidRequestException {
    if (found < least) {
      throw new InvalidRequestException(
          what + " is too small: found=" + found + " least=" + least + " unit=" + unit);
    }
  }

  /** A name of a sandbox or snapshot, or none. */
  static void name(String what, @Nullable String name) throws InvalidRequestException {
    if (name != null && !NAME.matcher(name).matches()) {
      throw new InvalidRequestException(
          what
              + " name must be letters, digits, '_', '.' and '-', at most 64, not beginning with a sign:"
              + " found="
              + Text.quote(name));
    }
  }

  static void exec(ExecSpec spec) throws InvalidRequestException {
    if (spec.argv().isEmpty()) {
      throw new InvalidRequestException("no command given: name a program to run");
    }
    if (spec.argv().get(0).isEmpty()) {
      throw new InvalidRequestException("the program's name is empty");
    }
    for (String argument : spec.argv()) {
      noNul("argument", argument);
    }
    variables(spec.env());
    String cwd = spec.cwd();
    if (cwd != null) {
      noNul("working directory", cwd);
      if (!cwd.startsWith("/")) {
        throw new InvalidRequestException(
            "working directory must be absolute: found=" + Text.quote(cwd));
      }
    }
    id("uid", spec.uid());
    id("gid", spec.gid());
    Duration timeout = spec.timeout();
    if (timeout != null && (timeout.isZero() || timeout.isNegative())) {
      throw new InvalidRequestException("time-out must be positive: found=" + timeout);
    }
  }

  private static void id(String what, int id) throws InvalidRequestException {
    if (id < 0 || id > ID_MAX) {
      throw new InvalidRequestException(what + " must be 0.." + ID_MAX + ": found=" + id);
    }
  }

  private static void variables(Map<String, String> env) throws InvalidRequestException {
    for (Map.Entry<String, String> entry : env.entrySet()) {
      if (entry.getKey().isEmpty() || entry.getKey().contains("=")) {
        throw new InvalidRequestException(
            "name of an environment variable must not be empty or hold '=': found="
                + Text.quote(entry.getKey()));
      }
      noNul("environment variable", entry.getKey());
      noNul("environment variable " + Text.quote(entry.getKey()), entry.getValue());
    }
  }

  private static void noNul(String what, String text) throws InvalidRequestException {
    if (text.indexOf('\0') >= 0) {
      throw new InvalidRequestException(what + " must not hold a NUL: found=" + Text.quote(text));
    }
  }
}
