package io.deltabox.snapshot.table;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import io.deltabox.store.StoreCorruptException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The stored form of all records of a snapshot: of each its kind and its length, as varints of
 * protocol buffers, and its bytes; by kind, those of one kind as they were written.
 */
public final class RecordStream {
  /** The longest stream, in bytes. */
  public static final int BYTES_MAX = 512 << 20;

  /**
   * A record.
   *
   * @param bytes read-only
   */
  public record Item(int kind, ByteBuffer bytes) {}

  private RecordStream() {}

  /**
   * @throws IllegalArgumentException if it is too long
   */
  public static byte[] encode(List<Item> records) {
    List<Item> sorted = new ArrayList<>(records);
    sorted.sort(Comparator.comparingInt(Item::kind));
    long length = 0;
    for (Item item : sorted) {
      length += 10L + item.bytes().remaining();
    }
    if (length > BYTES_MAX) {
      throw new IllegalArgumentException("records too long: bytes=" + length);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream((int) length);
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    try {
      for (Item item : sorted) {
        out.writeUInt32NoTag(item.kind());
        out.writeUInt32NoTag(item.bytes().remaining());
        out.writeRawBytes(item.bytes().duplicate());
      }
      out.flush();
    } catch (IOException e) {
      throw new IllegalStateException("memory does not fail", e);
    }
    return bytes.toByteArray();
  }

  /**
   * @throws StoreCorruptException if it is no such stream
   */
  public static List<Item> decode(ByteBuffer stream) throws StoreCorruptException {
    List<Item> records = new ArrayList<>();
    CodedInputStream in = CodedInputStream.newInstance(stream.duplicate());
    try {
      while (!in.isAtEnd()) {
        int kind = in.readUInt32();
        int length = in.readUInt32();
        int from = stream.position() + in.getTotalBytesRead();
        in.skipRawBytes(length);
        records.add(new Item(kind, stream.slice(from, length).asReadOnlyBuffer()));
      }
      return records;
    } catch (IOException | RuntimeException e) {
      throw new StoreCorruptException("not records: bytes=" + stream.remaining(), e);
    }
  }
}
