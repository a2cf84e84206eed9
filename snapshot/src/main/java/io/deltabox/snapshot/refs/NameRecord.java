package io.deltabox.snapshot.refs;

import io.deltabox.store.Bytes;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreFormatException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * A name in its stored form, little-endian: {@code u32 magic, u16 version, u16 0, u64 and u64
 * snapshot (upper half first), u64 generation, u32 CRC32C of all before}.
 */
final class NameRecord {
  private static final int MAGIC = 0x4d4e4244; // "DBNM"
  private static final int VERSION = 1;
  private static final int BODY_BYTES = 32;
  private static final int BYTES = BODY_BYTES + 4;

  private NameRecord() {}

  static Bytes write(Name name) {
    ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(MAGIC).putShort((short) VERSION).putShort((short) 0);
    out.putLong(name.snapshot().getMostSignificantBits());
    out.putLong(name.snapshot().getLeastSignificantBits());
    out.putLong(name.generation());
    out.putInt(checksum(out.array()));
    return Bytes.of(out.flip());
  }

  static Name read(String text, Bytes value) throws StoreException {
    byte[] bytes = value.toArray();
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.length < 8 || in.getInt() != MAGIC) {
      throw damaged(text, "it is not the record of a name");
    }
    int version = in.getShort() & 0xffff;
    if (version != VERSION) {
      throw new StoreFormatException(
          "read name failed: written by another release: name="
              + text
              + " version="
              + version
              + " known="
              + VERSION);
    }
    if (bytes.length != BYTES) {
      throw damaged(text, "bytes=" + bytes.length + " expected=" + BYTES);
    }
    if (in.getInt(BODY_BYTES) != checksum(bytes)) {
      throw damaged(text, "checksum does not match");
    }
    in.position(8);
    UUID snapshot = new UUID(in.getLong(), in.getLong());
    long generation = in.getLong();
    if (generation <= 0) {
      throw damaged(text, "generation=" + generation);
    }
    return new Name(text, snapshot, generation);
  }

  private static int checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, BODY_BYTES);
    return (int) crc.getValue();
  }

  private static StoreException damaged(String text, String what) {
    return new StoreCorruptException("read name failed: damaged: name=" + text + " " + what);
  }
}
