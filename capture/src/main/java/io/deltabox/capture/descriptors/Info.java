package io.deltabox.capture.descriptors;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Fields of a fdinfo text: {@code name: value}, one a line. */
final class Info {
  private Info() {}

  /** Text behind a name, trimmed; null if there is no such line. */
  static @Nullable String find(String info, String name) {
    for (String line : info.split("\n")) {
      if (line.startsWith(name)) {
        return line.substring(name.length()).trim();
      }
    }
    return null;
  }

  /** Text behind a name, trimmed. */
  static String field(String info, String name) {
    String value = find(info, name);
    if (value == null) {
      throw new IllegalArgumentException("fdinfo has no field: name=" + name);
    }
    return value;
  }

  static long number(String info, String name, int radix) {
    return Long.parseUnsignedLong(field(info, name), radix);
  }

  /** All lines that start with a name, whole. */
  static List<String> lines(String info, String name) {
    List<String> found = new ArrayList<>();
    for (String line : info.split("\n")) {
      if (line.startsWith(name)) {
        found.add(line);
      }
    }
    return found;
  }
}
