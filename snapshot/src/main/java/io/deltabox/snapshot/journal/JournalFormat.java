package io.deltabox.snapshot.journal;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.deltabox.store.Bytes;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreFormatException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.DateTimeException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The stored form of a stream, little-endian.
 *
 * <ul>
 *   <li>Key of the head: {@code u16 length of the stream's name (big-endian), name}. Key of a
 *       record: the same, then {@code u64 sequence (big-endian)}, so that records are in order.
 *   <li>Head: {@code u32 magic "DBJH", u16 version, u16 0, u64 records, 32 bytes hash of the last}.
 *   <li>Record: {@code u32 magic "DBJR", u16 version, u16 0, u64 sequence, 32 bytes hash of the one
 *       before (zeros for the first), sealed content}.
 *   <li>Content: {@code i64 seconds, u32 nanoseconds, u32 + actor, u32 + kind, u32 + body}; it is
 *       sealed for its place, the key of the record.
 *   <li>Hash of a record: SHA-256 of its key and its stored bytes.
 * </ul>
 */
final class JournalFormat {
  static final int HASH_BYTES = 32;
  private static final int RECORD_MAGIC = 0x524a4244; // "DBJR"
  private static final int HEAD_MAGIC = 0x484a4244; // "DBJH"
  private static final int VERSION = 1;
  private static final int RECORD_HEADER_BYTES = 16 + HASH_BYTES;
  private static final int HEAD_BYTES = 16 + HASH_BYTES;

  private JournalFormat() {}

  /**
   * Where a stream ends.
   *
   * @param records in it
   * @param last hash of the last; zeros before the first
   */
  record Head(long records, Bytes last) {
    static final Head EMPTY = new Head(0, Bytes.of(new byte[HASH_BYTES]));
  }

  static Bytes headKey(String stream) {
    byte[] name = stream.getBytes(UTF_8);
    return Bytes.of(
        ByteBuffer.allocate(2 + name.length).putShort((short) name.length).put(name).flip());
  }

  static Bytes recordKey(String stream, long sequence) {
    Bytes head = headKey(stream);
    return Bytes.of(
        ByteBuffer.allocate(head.length() + 8).put(head.buffer()).putLong(sequence).flip());
  }

  /** The name of the stream whose head this is the key of, or null for the key of a record. */
  static @Nullable String streamOfHead(Bytes key) {
    ByteBuffer in = key.buffer();
    if (in.remaining() < 2 || (in.getShort() & 0xffff) != in.remaining()) {
      return null;
    }
    return UTF_8.decode(in).toString();
  }

  static Bytes write(Head head) {
    ByteBuffer out = buffer(HEAD_BYTES, HEAD_MAGIC);
    return Bytes.of(out.putLong(head.records()).put(head.last().buffer()).flip());
  }

  static Head readHead(String stream, Bytes value) throws StoreException {
    ByteBuffer in = open("head of stream=" + stream, value, HEAD_MAGIC, HEAD_BYTES);
    long count = in.getLong();
    Head head = new Head(count, Bytes.of(in));
    if (count <= 0 || head.last().length() != HASH_BYTES) {
      throw damaged("head of stream=" + stream, "records=" + count + " bytes=" + value.length());
    }
    return head;
  }

  static Bytes write(String stream, long sequence, Bytes before, JournalEntry entry, Seal seal)
      throws StoreException {
    byte[] sealed = seal.seal(content(entry), recordKey(stream, sequence).toArray());
    ByteBuffer out = buffer(RECORD_HEADER_BYTES + sealed.length, RECORD_MAGIC);
    return Bytes.of(out.putLong(sequence).put(before.buffer()).put(sealed).flip());
  }

  /** Checks the place of a record in its chain; its content stays sealed. */
  static ByteBuffer readLinked(String stream, long sequence, Bytes before, Bytes value)
      throws StoreException {
    String what = what(stream, sequence);
    ByteBuffer in = open(what, value, RECORD_MAGIC, RECORD_HEADER_BYTES);
    long found = in.getLong();
    if (found != sequence) {
      throw damaged(what, "it says sequence=" + found);
    }
    byte[] link = new byte[HASH_BYTES];
    in.get(link);
    if (!Bytes.of(link).equals(before)) {
      throw damaged(what, "it does not follow the record before it: that one or it was changed");
    }
    return in;
  }

  static JournalRecord readContent(String stream, long sequence, ByteBuffer sealed, Seal seal)
      throws StoreException {
    byte[] bytes = new byte[sealed.remaining()];
    sealed.get(bytes);
    byte[] plain = seal.open(bytes, recordKey(stream, sequence).toArray());
    ByteBuffer in = ByteBuffer.wrap(plain).order(ByteOrder.LITTLE_ENDIAN);
    String what = what(stream, sequence);
    try {
      Instant time = Instant.ofEpochSecond(in.getLong(), in.getInt());
      String actor = new String(part(what, in), UTF_8);
      String kind = new String(part(what, in), UTF_8);
      JournalEntry entry = new JournalEntry(time, actor, kind, Bytes.of(part(what, in)));
      if (in.hasRemaining()) {
        throw damaged(what, "left=" + in.remaining());
      }
      return new JournalRecord(sequence, entry);
    } catch (BufferUnderflowException | DateTimeException | IllegalArgumentException e) {
      throw new StoreCorruptException("read journal failed: damaged: " + what, e);
    }
  }

  static Bytes hash(Bytes key, Bytes value) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(key.buffer());
      digest.update(value.buffer());
      return Bytes.of(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  static StoreCorruptException damaged(String what, String found) {
    return new StoreCorruptException("read journal failed: damaged: " + what + " " + found);
  }

  static String what(String stream, long sequence) {
    return "record=" + sequence + " stream=" + stream;
  }

  private static byte[] content(JournalEntry entry) {
    byte[] actor = entry.actor().getBytes(UTF_8);
    byte[] kind = entry.kind().getBytes(UTF_8);
    ByteBuffer out =
        ByteBuffer.allocate(24 + actor.length + kind.length + entry.body().length())
            .order(ByteOrder.LITTLE_ENDIAN);
    Instant time = entry.time();
    out.putLong(time.getEpochSecond()).putInt(time.getNano());
    out.putInt(actor.length).put(actor).putInt(kind.length).put(kind);
    out.putInt(entry.body().length()).put(entry.body().buffer());
    return out.array();
  }

  private static byte[] part(String what, ByteBuffer in) throws StoreException {
    int length = in.getInt();
    if (length < 0 || length > in.remaining()) {
      throw damaged(what, "needed_bytes=" + length + " left=" + in.remaining());
    }
    byte[] bytes = new byte[length];
    in.get(bytes);
    return bytes;
  }

  private static ByteBuffer buffer(int bytes, int magic) {
    return ByteBuffer.allocate(bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(magic)
        .putShort((short) VERSION)
        .putShort((short) 0);
  }

  private static ByteBuffer open(String what, Bytes value, int magic, int least)
      throws StoreException {
    ByteBuffer in = value.buffer().order(ByteOrder.LITTLE_ENDIAN);
    if (in.remaining() < least || in.getInt() != magic) {
      throw damaged(what, "bytes=" + value.length());
    }
    int version = in.getShort() & 0xffff;
    if (version != VERSION) {
      throw new StoreFormatException(
          "read journal failed: written by another release: "
              + what
              + " version="
              + version
              + " known="
              + VERSION);
    }
    in.getShort();
    return in;
  }
}
