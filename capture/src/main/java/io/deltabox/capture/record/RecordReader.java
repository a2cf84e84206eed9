package io.deltabox.capture.record;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads what {@link RecordWriter} wrote. Every length is checked against the bytes there are before
 * anything is allocated. Not thread-safe.
 */
public final class RecordReader {
  private final String what;
  private final ByteBuffer in;

  /** Takes one element of a list. */
  @FunctionalInterface
  public interface Take<T> {
    T take() throws IOException;
  }

  private RecordReader(String what, ByteBuffer bytes) {
    this.what = what;
    this.in = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Begins to read a record.
   *
   * @throws IOException if it is of another kind, or of a version this program does not know
   */
  public static RecordReader of(RecordKind kind, ByteBuffer record) throws IOException {
    RecordReader reader = new RecordReader(kind.name(), record);
    int number = reader.shortNumber();
    int version = reader.shortNumber();
    if (number != kind.number()) {
      throw new IOException(
          "read record failed: it is another: kind=" + number + " expected=" + kind.number());
    }
    if (version != kind.version()) {
      throw new IOException(
          "read record failed: unknown version, written by another release: kind="
              + kind
              + " version="
              + version
              + " known="
              + kind.version());
    }
    return reader;
  }

  /** Begins to read bytes without a header. */
  public static RecordReader bare(String what, ByteBuffer bytes) {
    return new RecordReader(what, bytes);
  }

  private IOException damaged(String found) {
    return new IOException(
        "read record failed: damaged: kind=" + what + " " + found + " at=" + in.position());
  }

  private ByteBuffer need(int bytes) throws IOException {
    if (bytes < 0 || bytes > in.remaining()) {
      throw damaged("needed_bytes=" + bytes + " left=" + in.remaining());
    }
    return in;
  }

  private int shortNumber() throws IOException {
    return need(2).getShort() & 0xffff;
  }

  public boolean flag() throws IOException {
    return need(1).get() != 0;
  }

  public int number() throws IOException {
    return need(4).getInt();
  }

  public long longNumber() throws IOException {
    return need(8).getLong();
  }

  /** A copy, read-only. */
  public ByteBuffer bytes() throws IOException {
    return ByteBuffer.wrap(array()).asReadOnlyBuffer();
  }

  /** A copy. */
  public byte[] array() throws IOException {
    int length = number();
    need(length);
    byte[] bytes = new byte[length];
    in.get(bytes);
    return bytes;
  }

  public String text() throws IOException {
    return new String(array(), StandardCharsets.ISO_8859_1);
  }

  /** A constant by its name. */
  public <E extends Enum<E>> E constant(Class<E> type) throws IOException {
    String name = text();
    try {
      return Enum.valueOf(type, name);
    } catch (IllegalArgumentException e) {
      throw damaged("unknown_name=" + name);
    }
  }

  /** A list; every element takes at least a byte. */
  public <T> List<T> list(Take<T> take) throws IOException {
    int count = number();
    need(count);
    List<T> values = new ArrayList<>(Math.min(count, 1024));
    for (int i = 0; i < count; i++) {
      values.add(take.take());
    }
    return values;
  }

  /** To be called last: nothing may be left. */
  public void done() throws IOException {
    if (in.hasRemaining()) {
      throw damaged("left=" + in.remaining());
    }
  }
}
