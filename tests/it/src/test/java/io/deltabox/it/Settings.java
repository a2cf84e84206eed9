package io.deltabox.it;

import java.util.Random;

/** How much is run: a tenth by default, the full figures with {@code -Plong}. */
final class Settings {
  static final boolean LONG = Boolean.getBoolean("deltabox.long");

  private Settings() {}

  static int count(int sample, int full) {
    return LONG ? full : sample;
  }

  /** A seed, printed so that a failure can be run again with {@code -Ddeltabox.seed=N}. */
  static long seed(String suite) {
    long seed = Long.getLong("deltabox.seed", System.nanoTime() & 0xffffffL);
    System.out.println("SEED " + suite + " " + seed);
    return seed;
  }

  static Random random(long seed, String suite) {
    return new Random(seed * 31 + suite.hashCode());
  }
}
