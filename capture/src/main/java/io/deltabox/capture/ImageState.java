package io.deltabox.capture;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What execve(2) left in a memory map - where code, data, stack, arguments and environment are, and
 * the auxiliary vector - and how the end of the process is told. Kept as the record the native code
 * wrote ({@code struct dbx_record_image}). Immutable.
 */
final class ImageState {
  /** Values of {@code struct prctl_mm_map}, in its order, before its pointers. */
  static final int FIELDS = 11;

  private static final int START_BREAK = 4;
  private static final int AT_FIELDS = 16;
  private static final int NAME_BYTES = 16;
  private static final int AT_NAME = AT_FIELDS + 8 * FIELDS;
  private static final int AT_VECTOR = AT_NAME + NAME_BYTES;

  /** Of a process that has no auxiliary vector. */
  static final int RECORD_BYTES_MIN = AT_VECTOR;

  private final byte[] record;
  private final ByteBuffer view;

  ImageState(ByteBuffer body) {
    this.record = new byte[body.remaining()];
    body.duplicate().get(record);
    this.view =
        ByteBuffer.wrap(record)
            .order(ByteOrder.LITTLE_ENDIAN)
            .asReadOnlyBuffer()
            .order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Signal its parent gets when it ends; clone(2). */
  int exitSignal() {
    return view.getInt(4);
  }

  /** Of a zombie: as wait(2) lays it out. */
  int exitStatus() {
    return view.getInt(8);
  }

  /** Name of the process, also of one that has ended. */
  String name() {
    String text = new String(record, AT_NAME, NAME_BYTES, StandardCharsets.ISO_8859_1);
    int end = text.indexOf(0);
    return end < 0 ? text : text.substring(0, end);
  }

  long field(int index) {
    return view.getLong(AT_FIELDS + 8 * index);
  }

  /** Where the heap begins; its end is another matter. */
  long heapStart() {
    return field(START_BREAK);
  }

  /** The auxiliary vector as the kernel keeps it. */
  byte[] vector() {
    int bytes = Math.max(0, Math.min(view.getInt(12), record.length - AT_VECTOR));
    return Arrays.copyOfRange(record, AT_VECTOR, AT_VECTOR + bytes);
  }

  /** The record as the native code wrote it. */
  byte[] record() {
    return record.clone();
  }

  /** Same places, same vector. */
  boolean same(@Nullable ImageState other) {
    return other != null
        && Arrays.equals(record, AT_FIELDS, AT_NAME, other.record, AT_FIELDS, AT_NAME)
        && Arrays.equals(vector(), other.vector());
  }
}
