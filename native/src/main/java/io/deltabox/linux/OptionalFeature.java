package io.deltabox.linux;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What the kernel or this user's rights may lack without anything being impossible. Each has
 * another way, slower or with less; it can be switched off by name to try that way.
 */
public enum OptionalFeature {
  /** Regions one by one by ioctl(2), Linux 6.11; else the text of {@code /proc/PID/maps}. */
  PROCMAP_QUERY("procmap-query", 1),
  /** Real-time priority of the thread that stops a sandbox; else pauses are longer under load. */
  REALTIME("realtime", 2),
  /** Control groups; else there are no limits, and only the first process of a command is ended. */
  CGROUP("cgroup", 0);

  /** The variable of the environment that names what is switched off, separated by commas. */
  public static final String VARIABLE = "DELTABOX_WITHOUT";

  private final String text;
  private final int bit;

  OptionalFeature(String text, int bit) {
    this.text = text;
    this.bit = bit;
  }

  /** As it is named in {@value #VARIABLE}. */
  public String text() {
    return text;
  }

  /**
   * Reads names separated by commas.
   *
   * @throws IllegalArgumentException if one is unknown; the message names all that are known
   */
  public static Set<OptionalFeature> parse(String names) {
    EnumSet<OptionalFeature> found = EnumSet.noneOf(OptionalFeature.class);
    for (String name : names.split(",")) {
      if (!name.isBlank()) {
        found.add(named(name.strip()));
      }
    }
    return found;
  }

  private static OptionalFeature named(String name) {
    List<String> known = new ArrayList<>();
    for (OptionalFeature feature : values()) {
      if (feature.text.equals(name)) {
        return feature;
      }
      known.add(feature.text);
    }
    throw new IllegalArgumentException(
        "unknown feature in "
            + VARIABLE
            + ": found='"
            + name
            + "' known="
            + String.join(",", known));
  }

  /** What the environment switches off. */
  public static Set<OptionalFeature> switchedOff() {
    return parse(System.getenv().getOrDefault(VARIABLE, ""));
  }

  /** As the native code takes it; {@code DBX_WITHOUT_...} in {@code engine.h}. */
  public static int bits(Set<OptionalFeature> without) {
    int bits = 0;
    for (OptionalFeature feature : without) {
      bits |= feature.bit;
    }
    return bits;
  }
}
