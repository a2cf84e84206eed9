package io.deltabox;

import java.security.SecureRandom;
import java.time.Instant;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.Random;

/**
 * Name of a sandbox or a snapshot for ever: 128 bits, the upper 48 of which are milliseconds since
 * 1970 and the rest random, so that ids compare in the order of their making.
 *
 * <p>The text form is 32 hex digits with the random half first: people type prefixes, and a prefix
 * of the time would be the same for everything made on one afternoon.
 */
public record Id(long time, long random) implements Comparable<Id> {
  private static final Comparator<Id> ORDER =
      Comparator.<Id, Long>comparing(Id::time, Long::compareUnsigned)
          .thenComparing(Id::random, Long::compareUnsigned);
  private static final Random SECURE = new SecureRandom();

  /** A new id for something made at {@code now}. */
  public static Id make(Instant now) {
    return make(now, SECURE);
  }

  static Id make(Instant now, Random random) {
    return new Id(now.toEpochMilli() << 16 | (random.nextLong() & 0xffff), random.nextLong());
  }

  /**
   * Reads the text form.
   *
   * @throws IllegalArgumentException if {@code text} is not 32 hex digits
   */
  public static Id parse(String text) {
    if (text.length() != 32) {
      throw new IllegalArgumentException("id must be 32 hex digits: found=" + text);
    }
    return new Id(
        HexFormat.fromHexDigitsToLong(text, 16, 32), HexFormat.fromHexDigitsToLong(text, 0, 16));
  }

  /** When it was made, to the millisecond. */
  public Instant instant() {
    return Instant.ofEpochMilli(time >>> 16);
  }

  /** The first twelve digits: enough for people. */
  public String brief() {
    return toString().substring(0, 12);
  }

  @Override
  public int compareTo(Id other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    HexFormat hex = HexFormat.of();
    return hex.toHexDigits(random) + hex.toHexDigits(time);
  }
}
