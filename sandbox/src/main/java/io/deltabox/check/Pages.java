package io.deltabox.check;

import java.util.Arrays;

/**
 * The pages of a region that are not all zero: index and 128-bit hash each, ascending by index.
 *
 * <p>A private page that was never touched and one full of zeros read the same, so both are left
 * out. {@link #UNTOUCHED} stands for a large file mapping of which the process has no page of its
 * own.
 */
final class Pages {
  static final long PAGE = 4096;
  static final Pages NONE = new Pages(new long[0], false);
  static final Pages UNTOUCHED = new Pages(new long[0], true);

  /** Three words per page: index, hash low, hash high. */
  private final long[] words;

  private final boolean untouched;

  private Pages(long[] words, boolean untouched) {
    this.words = words;
    this.untouched = untouched;
  }

  /** Takes ownership of {@code words}. */
  static Pages of(long[] words) {
    return words.length == 0 ? NONE : new Pages(words, false);
  }

  boolean untouched() {
    return untouched;
  }

  int count() {
    return words.length / 3;
  }

  long index(int i) {
    return words[3 * i];
  }

  String hash(int i) {
    return String.format("%016x%016x", words[3 * i + 1], words[3 * i + 2]);
  }

  boolean sameHash(int i, Pages other, int k) {
    return words[3 * i + 1] == other.words[3 * k + 1] && words[3 * i + 2] == other.words[3 * k + 2];
  }

  Pages join(Pages next, long shift) {
    if (next.words.length == 0) {
      return this;
    }
    long[] both = Arrays.copyOf(words, words.length + next.words.length);
    System.arraycopy(next.words, 0, both, words.length, next.words.length);
    for (int i = words.length; i < both.length; i += 3) {
      both[i] += shift;
    }
    return new Pages(both, untouched);
  }
}
