package io.deltabox.store.rocksdb;

import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Assumptions;

/** Counts what this machine or user cannot run, so that a lost ability is noticed. */
final class Unavailable {
  private static final Set<String> SEEN = new TreeSet<>();

  private Unavailable() {}

  static void require(boolean present, String feature) {
    if (!present) {
      synchronized (SEEN) {
        if (SEEN.add(feature)) {
          System.out.println("UNAVAILABLE: " + feature);
        }
      }
    }
    Assumptions.assumeTrue(present, feature);
  }

  static Set<String> seen() {
    synchronized (SEEN) {
      return Set.copyOf(SEEN);
    }
  }
}
