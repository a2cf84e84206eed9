package io.deltabox;

/** Makes strings of unknown origin fit for one line of a message. */
final class Text {
  private static final int SHOWN_MAX = 200;

  private Text() {}

  /** The string in single quotes, control characters escaped, long ones cut. */
  static String quote(String text) {
    StringBuilder out = new StringBuilder("'");
    int end = Math.min(text.length(), SHOWN_MAX);
    for (int i = 0; i < end; i++) {
      char c = text.charAt(i);
      if (c < 0x20 || c == 0x7f) {
        out.append(String.format("\\x%02x", (int) c));
      } else {
        out.append(c);
      }
    }
    return out.append(end < text.length() ? "...'" : "'").toString();
  }
}
