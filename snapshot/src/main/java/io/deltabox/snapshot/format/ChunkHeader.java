package io.deltabox.snapshot.format;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.deltabox.store.ChunkId;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreFormatException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * What a stored form begins with, readable without keys:
 *
 * <pre>
 * magic "DBXC" | version u8 | type u8 | protection u8 | frames u8 | domain 16 | salt 16
 * | plain length u32 | stored length u32 | bases u16 | 0 u16
 * | per frame: length u32, highest bit set: not compressed
 * | per base: id 32
 * | with bases, per page: base + 1 u8 (0: none) | page of the base u8
 * | frames, each with 16 bytes of tag | CRC32C of all before u32
 * </pre>
 *
 * Magic and checksum stay where they are in all versions. Every length is bounded before it is
 * used.
 */
final class ChunkHeader {
  static final byte[] MAGIC = {'D', 'B', 'X', 'C'};
  static final int VERSION = 1;
  static final int FIXED_BYTES = 52;
  static final int SALT_AT = 24;
  static final int SALT_BYTES = 16;
  static final int SUM_BYTES = 4;
  static final int TAG_BYTES = 16;
  static final int RAW = 1 << 31;

  /** The type of a sealed record is its kind with this bit. */
  static final int SEALED = 0x80;

  private final ByteBuffer stored;
  private final int plainBytes;
  private final int frames;
  private final int bases;
  private final int bytes;

  private ChunkHeader(ByteBuffer stored, int plainBytes, int frames, int bases, int bytes) {
    this.stored = stored;
    this.plainBytes = plainBytes;
    this.frames = frames;
    this.bases = bases;
    this.bytes = bytes;
  }

  /** How many frames some plain bytes have. */
  static int frames(int plainBytes) {
    return (plainBytes + ChunkCodec.FRAME_BYTES - 1) / ChunkCodec.FRAME_BYTES;
  }

  static int bytes(int plainBytes, int bases) {
    int pages = bases == 0 ? 0 : pages(plainBytes);
    return FIXED_BYTES + 4 * frames(plainBytes) + ChunkId.BYTES * bases + 2 * pages;
  }

  private static int pages(int plainBytes) {
    return (plainBytes + ChunkCodec.PAGE_BYTES - 1) / ChunkCodec.PAGE_BYTES;
  }

  /**
   * Reads what remains in a buffer, whose position stays.
   *
   * @param name says in messages what it is
   */
  static ChunkHeader parse(ByteBuffer from, Object name) throws StoreException {
    ByteBuffer stored = from.slice().order(LITTLE_ENDIAN);
    int length = stored.remaining();
    if (length < FIXED_BYTES + SUM_BYTES || stored.getInt(0) != magic()) {
      throw corrupt(name, "no chunk of " + length + " bytes");
    }
    if (stored.getInt(length - SUM_BYTES) != sum(stored, length - SUM_BYTES)) {
      throw corrupt(name, "a wrong checksum");
    }
    int version = stored.get(4) & 0xff;
    if (version != VERSION) {
      throw new StoreFormatException(
          "stored by a newer program; use that or a newer one: id="
              + name
              + " version="
              + version
              + " known="
              + VERSION);
    }
    int plainBytes = stored.getInt(40);
    int frames = stored.get(7) & 0xff;
    int bases = stored.getShort(48) & 0xffff;
    boolean sealed = (stored.get(5) & SEALED) != 0;
    int most = sealed ? ChunkCodec.SEALED_BYTES_MAX : ChunkCodec.PLAIN_BYTES_MAX;
    if (plainBytes < 1
        || plainBytes > most
        || frames != frames(plainBytes)
        || bases > (sealed ? 0 : pages(plainBytes))
        || stored.getShort(50) != 0
        || stored.getInt(44) != length) {
      throw corrupt(name, "impossible lengths");
    }
    int bytes = bytes(plainBytes, bases);
    ChunkHeader header = new ChunkHeader(stored, plainBytes, frames, bases, bytes);
    header.checkFrames(name);
    header.checkBases(name);
    return header;
  }

  private void checkFrames(Object name) throws StoreCorruptException {
    long end = (long) bytes + SUM_BYTES;
    if (end > stored.limit()) {
      throw corrupt(name, "a header longer than all");
    }
    for (int i = 0; i < frames; i++) {
      int plain = plainBytes(i);
      int length = frameBytes(i);
      if (length < 1 || length > plain || (isRaw(i) && length != plain)) {
        throw corrupt(name, "a frame of impossible length");
      }
      end += length + TAG_BYTES;
    }
    if (end != stored.limit()) {
      throw corrupt(name, "frames that do not fill it");
    }
  }

  private void checkBases(Object name) throws StoreCorruptException {
    if (bases == 0) {
      return;
    }
    if (plainBytes % ChunkCodec.PAGE_BYTES != 0) {
      throw corrupt(name, "bases of half pages");
    }
    for (int page = 0; page < pages(plainBytes); page++) {
      if (ordinal(page) >= bases || place(page) >= ChunkCodec.PAGES_MAX) {
        throw corrupt(name, "a base that is not listed");
      }
    }
  }

  int type() {
    return stored.get(5) & 0xff;
  }

  int protection() {
    return stored.get(6);
  }

  DomainId domain() {
    return DomainId.read(stored.slice(8, DomainId.BYTES));
  }

  int plainBytes() {
    return plainBytes;
  }

  int pages() {
    return pages(plainBytes);
  }

  int frames() {
    return frames;
  }

  /** Length of the header itself. */
  int bytes() {
    return bytes;
  }

  /** The whole stored form. */
  ByteBuffer stored() {
    return stored;
  }

  /** Plain length of a frame. */
  int plainBytes(int frame) {
    return Math.min(ChunkCodec.FRAME_BYTES, plainBytes - frame * ChunkCodec.FRAME_BYTES);
  }

  /** Stored length of a frame, without its tag. */
  int frameBytes(int frame) {
    return stored.getInt(FIXED_BYTES + 4 * frame) & ~RAW;
  }

  boolean isRaw(int frame) {
    return (stored.getInt(FIXED_BYTES + 4 * frame) & RAW) != 0;
  }

  boolean hasBases() {
    return bases != 0;
  }

  List<ChunkId> bases() {
    List<ChunkId> ids = new ArrayList<>(bases);
    ByteBuffer at = stored.duplicate().position(FIXED_BYTES + 4 * frames);
    for (int i = 0; i < bases; i++) {
      ids.add(ChunkId.read(at));
    }
    return ids;
  }

  /** Which base a page has, or {@link PageBases#NO_BASE}. */
  int ordinal(int page) {
    return (stored.get(pageAt(page)) & 0xff) - 1;
  }

  /** Which page of its base it is. */
  int place(int page) {
    return stored.get(pageAt(page) + 1) & 0xff;
  }

  private int pageAt(int page) {
    return FIXED_BYTES + 4 * frames + ChunkId.BYTES * bases + 2 * page;
  }

  static int magic() {
    return ByteBuffer.wrap(MAGIC).order(LITTLE_ENDIAN).getInt();
  }

  /** CRC32C of the first bytes of a buffer. */
  static int sum(ByteBuffer of, int length) {
    CRC32C sum = new CRC32C();
    sum.update(of.duplicate().position(0).limit(length));
    return (int) sum.getValue();
  }

  static StoreCorruptException corrupt(Object name, String found) {
    return new StoreCorruptException("stored form is damaged: id=" + name + " found=" + found);
  }
}
