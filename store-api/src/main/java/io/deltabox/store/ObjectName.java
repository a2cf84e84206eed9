package io.deltabox.store;

/**
 * Names an object: parts of {@code a-z 0-9 . _ -} joined by single slashes, the first character of
 * a part a letter or digit; at most {@value #PART_LENGTH_MAX} characters a part, {@value
 * #LENGTH_MAX} in all. So a name means the same as a key, in a path and in an address. Ordered by
 * characters.
 */
public record ObjectName(String text) implements Comparable<ObjectName> {
  public static final int LENGTH_MAX = 512;
  public static final int PART_LENGTH_MAX = 200;

  public ObjectName {
    if (text.isEmpty() || text.length() > LENGTH_MAX || !partsAreFine(text)) {
      throw new IllegalArgumentException("not an object name: " + text);
    }
  }

  /** This name with one more part. */
  public ObjectName child(String part) {
    return new ObjectName(text + "/" + part);
  }

  private static boolean partsAreFine(String text) {
    int part = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      if (!letter && (part == 0 || (c != '/' && c != '.' && c != '_' && c != '-'))) {
        return false;
      }
      part = c == '/' ? 0 : part + 1;
      if (part > PART_LENGTH_MAX) {
        return false;
      }
    }
    return part > 0;
  }

  @Override
  public int compareTo(ObjectName other) {
    return text.compareTo(other.text);
  }

  @Override
  public String toString() {
    return text;
  }
}
