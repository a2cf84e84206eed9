package io.deltabox.capture.descriptors;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What one process has open, and the rest of its view of the files. */
public final class ProcessFiles {
  private final Ids ids;
  private final Places places;
  private final Clocks clocks;
  private final Rights rights;
  private final SortedMap<Integer, Descriptor> descriptors = new TreeMap<>();

  /**
   * Numbers of the process.
   *
   * @param inner inside the sandbox, as {@code innerGroup}; the others as the daemon sees them
   */
  record Ids(int pid, int inner, int group, int session, int innerGroup) {}

  /** Directories, program and umask. */
  record Places(Place cwd, Place root, Place exe, int umask) {}

  /** Clocks when the process was read. */
  record Clocks(long monotonicNanos, long boottimeNanos, long realtimeNanos) {}

  ProcessFiles(Ids ids, Places places, Clocks clocks, Rights rights) {
    this.ids = ids;
    this.places = places;
    this.clocks = clocks;
    this.rights = rights;
  }

  void put(Descriptor descriptor) {
    descriptors.put(descriptor.number(), descriptor);
  }

  ProcessFiles withoutDescriptors() {
    return new ProcessFiles(ids, places, clocks, rights);
  }

  /** Number inside the sandbox. */
  public int process() {
    return ids.inner();
  }

  Ids ids() {
    return ids;
  }

  public Place cwd() {
    return places.cwd();
  }

  public Place root() {
    return places.root();
  }

  /** The program, for the part that re-makes processes. */
  public Place exe() {
    return places.exe();
  }

  /** What it may do, beyond its user and group. */
  public Rights rights() {
    return rights;
  }

  public int umask() {
    return places.umask();
  }

  Clocks clocks() {
    return clocks;
  }

  public SortedMap<Integer, Descriptor> descriptors() {
    return Collections.unmodifiableSortedMap(descriptors);
  }

  public @Nullable OpenFile file(int number) {
    Descriptor descriptor = descriptors.get(number);
    return descriptor == null ? null : descriptor.file();
  }
}
