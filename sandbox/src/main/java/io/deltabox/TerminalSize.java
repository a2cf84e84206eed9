package io.deltabox;

/** Rows and columns of a terminal. */
public record TerminalSize(int rows, int columns) {
  public static final TerminalSize DEFAULT = new TerminalSize(24, 80);

  public TerminalSize {
    if (rows < 1 || rows > 0xffff || columns < 1 || columns > 0xffff) {
      throw new IllegalArgumentException(
          "terminal size must be 1..65535: rows=" + rows + " columns=" + columns);
    }
  }
}
