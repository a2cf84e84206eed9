package io.deltabox.check;

import java.util.ArrayList;
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
 * @param scratchFrom start of the memory the engine maps into every process, which is left out
 * @param scratchBytes its size, 0 if there is none
 */
public record Scope(
    Base base,
    Set<String> skippedPaths,
    List<String> extraPaths,
    long scratchFrom,
    long scratchBytes) {
  /** How much of the base's own directories is read; they are large and rarely written. */
  public enum Base {
    SKIPPED,
    /** Names and attributes, no content. */
    ATTRIBUTES
  }

  public Scope {
    skippedPaths = Set.copyOf(skippedPaths);
    extraPaths = List.copyOf(extraPaths);
  }

  /** Everything a program without rights on the base can change. */
  public static Scope writable() {
    return new Scope(Base.SKIPPED, Set.of(), List.of("/dev/shm"), 0, 0);
  }

  /** This scope without the engine's memory in every process. */
  public Scope withScratch(long from, long bytes) {
    return new Scope(base, skippedPaths, extraPaths, from, bytes);
  }

  /** This scope with another depth for the base's directories. */
  public Scope withBase(Base other) {
    return new Scope(other, skippedPaths, extraPaths, scratchFrom, scratchBytes);
  }

  /** This scope with other paths left out. */
  public Scope without(Set<String> paths) {
    return new Scope(base, paths, extraPaths, scratchFrom, scratchBytes);
  }

  /** This scope with more paths read than it has. */
  public Scope alsoWith(List<String> paths) {
    List<String> all = new ArrayList<>(extraPaths);
    all.addAll(paths);
    return withPaths(all);
  }

  /** This scope with other paths read besides, for example a part of the base. */
  public Scope withPaths(List<String> paths) {
    return new Scope(base, skippedPaths, paths, scratchFrom, scratchBytes);
  }

  boolean scratch(long address) {
    return address >= scratchFrom && address - scratchFrom < scratchBytes;
  }
}
