package io.deltabox.capture.descriptors;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The records a table was made of, without the clocks in them, so that an unchanged table is known
 * by one comparison of bytes. Immutable and thread-safe.
 */
final class TableImage {
  /** Equal to nothing. */
  static final TableImage NONE = new TableImage(new byte[0], Devices.PLAIN);

  /** Contents of pipes and nameless files are among the records; a large image is not kept. */
  private static final int BYTES_MAX = 1 << 20;

  private static final int HEADER = 16;
  private static final int PROCESS = TableReader.KIND_FIRST;
  private static final int DESCRIPTOR = TableReader.KIND_FIRST + 1;

  /** {@code struct dbx_fds_process}: three clocks. */
  private static final int PROCESS_CLOCKS = HEADER + 24;

  private static final int PROCESS_CLOCKS_END = PROCESS_CLOCKS + 24;

  /** {@code struct dbx_fds_descriptor}: when its fdinfo was read. */
  private static final int DESCRIPTOR_CLOCK = HEADER + 80;

  private static final int DESCRIPTOR_CLOCK_END = DESCRIPTOR_CLOCK + 8;

  private final byte[] bytes;

  private final Devices devices;

  private TableImage(byte[] bytes, Devices devices) {
    this.bytes = bytes;
    this.devices = devices;
  }

  /** Copies the records of the descriptors part out of a window's. */
  static TableImage of(ByteBuffer records, Devices devices) {
    ByteBuffer in = records.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    byte[] to = new byte[4096];
    int used = 0;
    while (in.remaining() >= HEADER) {
      int start = in.position();
      int kind = in.getInt(start);
      long length = in.getLong(start + 8);
      if (length < 0 || length > in.remaining() - HEADER) {
        return NONE;
      }
      int whole = HEADER + (int) length;
      if (kind >= TableReader.KIND_FIRST && kind <= TableReader.KIND_LAST) {
        if (used + whole > BYTES_MAX) {
          return NONE;
        }
        if (used + whole > to.length) {
          to = Arrays.copyOf(to, 2 * (used + whole));
        }
        in.get(start, to, used, whole);
        if (kind == PROCESS && length >= PROCESS_CLOCKS_END - HEADER) {
          Arrays.fill(to, used + PROCESS_CLOCKS, used + PROCESS_CLOCKS_END, (byte) 0);
        } else if (kind == DESCRIPTOR && length >= DESCRIPTOR_CLOCK_END - HEADER) {
          Arrays.fill(to, used + DESCRIPTOR_CLOCK, used + DESCRIPTOR_CLOCK_END, (byte) 0);
        }
        used += whole;
      }
      in.position((int) Math.min(in.limit(), start + HEADER + ((length + 7) & ~7L)));
    }
    return new TableImage(Arrays.copyOf(to, used), devices);
  }

  boolean same(TableImage other) {
    return bytes.length > 0 && devices.equals(other.devices) && Arrays.equals(bytes, other.bytes);
  }
}
