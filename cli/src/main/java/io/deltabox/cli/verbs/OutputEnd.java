package io.deltabox.cli.verbs;

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Keeps the last bytes written to it, for an answer that holds the output of a command. */
final class OutputEnd extends OutputStream {
  private final byte[] ring;
  private long written;

  /**
   * @param bytesMax how much is kept
   */
  OutputEnd(int bytesMax) {
    ring = new byte[bytesMax];
  }

  @Override
  public synchronized void write(int value) {
    ring[(int) (written++ % ring.length)] = (byte) value;
  }

  @Override
  public synchronized void write(byte[] bytes, int from, int count) {
    for (int i = 0; i < count; i++) {
      write(bytes[from + i]);
    }
  }

  /** Bytes that came before those kept. */
  synchronized long lost() {
    return Math.max(0, written - ring.length);
  }

  /** What is kept; what is no UTF-8 is replaced. */
  synchronized String text() {
    int kept = (int) Math.min(written, ring.length);
    byte[] bytes = new byte[kept];
    for (int i = 0; i < kept; i++) {
      bytes[i] = ring[(int) ((written - kept + i) % ring.length)];
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
