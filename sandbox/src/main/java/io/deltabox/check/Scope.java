package io.deltabox.check;

import java.util.List;
import java.util.Set;

/**
 * What an image covers.
 *
 * @param base which part of the tree below the base's own directories ({@code /usr /bin /sbin
 *     /lib*}) is read
 * @param skippedPaths absolute paths inside the sandbox that are not read, for example large
 *     directories of the host that are exposed read-only
 * @param extraPaths directories read although they lie on a mount of their own, for example {@code
 *     /dev/shm}
 * @param scratchNames mappings whose name starts with one of these belong to the engine and are
 *     left out
 */
public record Scope(
    Base base, Set<String> skippedPaths, List<String> extraPaths, List<String> scratchNames) {
  /** How much of the base's own directories is read; they are large and rarely written. */
  public enum Base {
    SKIPPED,
    /** Names and attributes, no content. */
    ATTRIBUTES
  }

  public Scope {
    skippedPaths = Set.copyOf(skippedPaths);
    extraPaths = List.copyOf(extraPaths);
    scratchNames = List.copyOf(scratchNames);
  }

  /** Everything a program without rights on the base can change. */
  public static Scope writable() {
    return new Scope(Base.SKIPPED, Set.of(), List.of("/dev/shm"), List.of());
  }

  /** This scope without mappings whose name starts with {@code name}. */
  public Scope withScratch(String name) {
    return new Scope(base, skippedPaths, extraPaths, List.of(name));
  }

  /** This scope with another depth for the base's directories. */
  public Scope withBase(Base other) {
    return new Scope(other, skippedPaths, extraPaths, scratchNames);
  }

  /** This scope without some absolute paths. */
  public Scope without(Set<String> paths) {
    return new Scope(base, paths, extraPaths, scratchNames);
  }
}
