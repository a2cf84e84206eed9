package io.deltabox.capture.record;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Collection;

/**
 * Writes one record: {@code u16 kind, u16 version}, then fields in order. Lists and texts have a
 * {@code u32} count of their elements or bytes before them. Not thread-safe.
 */
public final class RecordWriter {
  private static final int FIRST_BYTES = 1024;

  private ByteBuffer out = ByteBuffer.allocate(FIRST_BYTES).order(ByteOrder.LITTLE_ENDIAN);

  /** Puts one element of a list. */
  @FunctionalInterface
  public interface Put<T> {
    void put(T element);
  }

  private RecordWriter() {}

  /** Begins a record of the version written now. */
  public static RecordWriter of(RecordKind kind) {
    RecordWriter writer = new RecordWriter();
    writer.out.putShort((short) kind.number()).putShort((short) kind.version());
    return writer;
  }

  /** Begins bytes without a header: a key, or a part of something that has one. */
  public static RecordWriter bare() {
    return new RecordWriter();
  }

  private ByteBuffer room(int bytes) {
    if (out.remaining() < bytes) {
      int wanted = Math.addExact(out.position(), bytes);
      ByteBuffer larger =
          ByteBuffer.allocate(Math.max(wanted, (int) Math.min(Integer.MAX_VALUE, 2L * wanted)))
              .order(ByteOrder.LITTLE_ENDIAN);
      out = larger.put(out.flip());
    }
    return out;
  }

  public RecordWriter flag(boolean value) {
    room(1).put((byte) (value ? 1 : 0));
    return this;
  }

  public RecordWriter number(int value) {
    room(4).putInt(value);
    return this;
  }

  public RecordWriter number(long value) {
    room(8).putLong(value);
    return this;
  }

  /** The remaining bytes of a buffer, which stays as it is. */
  public RecordWriter bytes(ByteBuffer value) {
    room(4 + value.remaining()).putInt(value.remaining()).put(value.duplicate());
    return this;
  }

  public RecordWriter bytes(byte[] value) {
    return bytes(ByteBuffer.wrap(value));
  }

  /** Bytes of the kernel kept as characters: names, paths, lines of proc. */
  public RecordWriter text(String value) {
    return bytes(value.getBytes(StandardCharsets.ISO_8859_1));
  }

  public <T> RecordWriter list(Collection<T> values, Put<T> put) {
    number(values.size());
    values.forEach(put::put);
    return this;
  }

  /** What was written; the writer must not be used any more. */
  public ByteBuffer done() {
    return out.flip().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }
}
