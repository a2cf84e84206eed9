package io.deltabox.check;

/**
 * One thing that is not as it was.
 *
 * @param where the process, region or path, for example {@code pid 7 page 0x7f12c000}
 * @param what the property compared
 * @param expected the value in the image compared against
 * @param found the value in the later image
 */
public record Difference(String where, String what, String expected, String found) {
  static final String ABSENT = "absent";

  @Override
  public String toString() {
    return where + ": " + what + " expected=" + expected + " found=" + found;
  }
}
