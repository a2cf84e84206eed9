package io.deltabox.cli.verbs;

import io.deltabox.InvalidRequestException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;

/** Sizes, times and durations as people read and write them. */
final class Format {
  private static final List<String> UNITS = List.of("", "k", "m", "g", "t");
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT);

  private Format() {}

  static String bytes(long bytes) {
    double value = bytes;
    int unit = 0;
    while (value >= 1024 && unit < UNITS.size() - 1) {
      value /= 1024;
      unit++;
    }
    return unit == 0
        ? bytes + " B"
        : String.format(Locale.ROOT, "%.1f %siB", value, UNITS.get(unit).toUpperCase(Locale.ROOT));
  }

  static String millis(long nanos) {
    return String.format(Locale.ROOT, "%.2f ms", nanos / 1e6);
  }

  static double milliseconds(long nanos) {
    return Math.round(nanos / 1e3) / 1e3;
  }

  static String time(Instant time) {
    return TIME.format(time.atZone(ZoneId.systemDefault()));
  }

  /** Reads {@code 512m}: a number and one of k, m, g, t, powers of 1024. */
  static long parseBytes(String option, String text) throws InvalidRequestException {
    String low = text.toLowerCase(Locale.ROOT);
    int unit = low.isEmpty() ? -1 : UNITS.indexOf(low.substring(low.length() - 1));
    String digits = unit > 0 ? low.substring(0, low.length() - 1) : low;
    try {
      long value = Math.multiplyExact(Long.parseLong(digits), 1L << (10 * Math.max(unit, 0)));
      if (value > 0) {
        return value;
      }
    } catch (ArithmeticException | NumberFormatException e) {
      // Falls through to the one message.
    }
    throw new InvalidRequestException(
        option + " must be a positive size such as 512m or 2g: found='" + text + "'");
  }

  /** Reads {@code 1.5}, {@code 90s}, {@code 10m} or {@code 500ms}. */
  static Duration parseDuration(String option, String text) throws InvalidRequestException {
    String low = text.toLowerCase(Locale.ROOT);
    double factor = 1e9;
    String digits = low;
    if (low.endsWith("ms")) {
      factor = 1e6;
      digits = low.substring(0, low.length() - 2);
    } else if (low.endsWith("s")) {
      digits = low.substring(0, low.length() - 1);
    } else if (low.endsWith("m")) {
      factor = 60e9;
      digits = low.substring(0, low.length() - 1);
    }
    try {
      double nanos = Double.parseDouble(digits) * factor;
      if (nanos >= 1 && nanos < 1e18) {
        return Duration.ofNanos((long) nanos);
      }
    } catch (NumberFormatException e) {
      // Falls through to the one message.
    }
    throw new InvalidRequestException(
        option + " must be a positive time such as 500ms, 30s or 5m: found='" + text + "'");
  }
}
