package io.deltabox.capture;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One thread: registers, masks and what the kernel remembers of it. Kept as the record the native
 * code wrote ({@code struct dbx_record_thread}), because it goes back as such. Immutable.
 */
final class ThreadState {
  private static final int MASK = 16;
  private static final int CLEAR_TID = 40;
  private static final int ALT_STACK = 64;
  private static final int NAME = 88;
  private static final int GROUP_STOPPED = 1;

  static final int RECORD_BYTES_MIN = NAME + 16;

  private final byte[] record;
  private final ByteBuffer view;

  ThreadState(ByteBuffer body) {
    this.record = new byte[body.remaining()];
    body.duplicate().get(record);
    this.view =
        ByteBuffer.wrap(record)
            .order(ByteOrder.LITTLE_ENDIAN)
            .asReadOnlyBuffer()
            .order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Number in the daemon's pid namespace; meaningful only while the thread lives. */
  int tid() {
    return view.getInt(4);
  }

  /** Number inside the sandbox. */
  int inner() {
    return view.getInt(8);
  }

  boolean groupStopped() {
    return (view.getInt(12) & GROUP_STOPPED) != 0;
  }

  long mask() {
    return view.getLong(MASK);
  }

  long robustHead() {
    return view.getLong(24);
  }

  long clearTid() {
    return view.getLong(CLEAR_TID);
  }

  long rseq() {
    return view.getLong(48);
  }

  int rseqBytes() {
    return view.getInt(56);
  }

  int rseqSignature() {
    return view.getInt(60);
  }

  long altStack() {
    return view.getLong(ALT_STACK);
  }

  long altBytes() {
    return view.getLong(ALT_STACK + 8);
  }

  int altFlags() {
    return view.getInt(ALT_STACK + 16);
  }

  String name() {
    int end = NAME;
    while (end < NAME + 16 && record[end] != 0) {
      end++;
    }
    return new String(record, NAME, end - NAME, StandardCharsets.UTF_8);
  }

  /** The record as the native code takes it back. */
  byte[] record() {
    return record.clone();
  }

  int recordBytes() {
    return record.length;
  }

  void copyTo(ByteBuffer to) {
    to.put(record);
  }

  /** Same thread in the same state; its number in the daemon's namespace does not count. */
  boolean same(@Nullable ThreadState other) {
    return other != null
        && Arrays.equals(record, 8, record.length, other.record, 8, other.record.length);
  }
}
