package io.deltabox.snapshot.format;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import io.deltabox.store.StoreException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.List;
import javax.crypto.Mac;
import org.jspecify.annotations.Nullable;

/**
 * Plain bytes to their stored form and back. A chunk is named by its content: HMAC-SHA-256 over
 * type, a 1 for this way of naming, and the plain bytes. A sealed record is named by whoever keeps
 * it; kind and name take part in its sealing, so it cannot be passed for another one.
 *
 * <p>Frames of 64 KiB are compressed with zstd, or kept where that saves less than 3 %, and sealed
 * with AES-256-GCM ({@link FrameCipher}); {@link ChunkHeader} is the grammar. Pages may be
 * compressed against older pages, if that saves at least a tenth.
 *
 * <p>For one thread; holds native memory and buffers of about 1.5 MiB. What is handed in is
 * borrowed, with its position unchanged unless the text says otherwise. Direct buffers are the
 * quicker ones.
 */
public final class ChunkCodec implements AutoCloseable {
  /** Longest plain form of a chunk. */
  public static final int PLAIN_BYTES_MAX = 256 << 10;

  /** Longest plain form of a sealed record. */
  public static final int SEALED_BYTES_MAX = 1 << 20;

  public static final int PAGE_BYTES = 4096;

  /** Pages in the longest chunk. */
  public static final int PAGES_MAX = PLAIN_BYTES_MAX / PAGE_BYTES;

  static final int FRAME_BYTES = 64 << 10;

  /** Longest stored form of a chunk: nothing compressed, and a base for each page. */
  public static final int STORED_BYTES_MAX =
      PLAIN_BYTES_MAX
          + ChunkHeader.FIXED_BYTES
          + ChunkHeader.SUM_BYTES
          + PLAIN_BYTES_MAX / FRAME_BYTES * (4 + ChunkHeader.TAG_BYTES)
          + PAGES_MAX * (ChunkId.BYTES + 2);

  private static final byte NAMING = 1;
  private static final int FRAME_PAGES = FRAME_BYTES / PAGE_BYTES;

  private final Domain domain;
  private final SecureRandom random;
  private final Mac idMac;
  private final FrameCipher cipher;
  private final FrameCompressor compressor = new FrameCompressor();
  private final byte[] hashed = new byte[FRAME_BYTES];
  private final byte[] salt = new byte[ChunkHeader.SALT_BYTES];
  private final ByteBuffer older = ByteBuffer.allocateDirect(PLAIN_BYTES_MAX);
  private final ByteBuffer opened = ByteBuffer.allocateDirect(FRAME_BYTES);
  private ByteBuffer plainCopy = ByteBuffer.allocateDirect(PLAIN_BYTES_MAX);
  private ByteBuffer output = ByteBuffer.allocateDirect(PLAIN_BYTES_MAX);
  private final Frames alone = new Frames();
  private final Frames against = new Frames();

  /**
   * @param random gives salts; the default one of the platform
   */
  public ChunkCodec(Domain domain, SecureRandom random) {
    this.domain = domain;
    this.random = random;
    this.idMac = domain.idMac();
    this.cipher = new FrameCipher(domain);
  }

  /** Compressed frames: where each lies in the buffer, how long it is, or that it is kept. */
  private static final class Frames {
    private ByteBuffer bytes = ByteBuffer.allocateDirect(4 * FrameCompressor.BOUND);
    private final int[] lengths = new int[SEALED_BYTES_MAX / FRAME_BYTES];
    private int total;

    void begin(int frames) {
      total = 0;
      if (bytes.capacity() < frames * FrameCompressor.BOUND) {
        bytes = ByteBuffer.allocateDirect(frames * FrameCompressor.BOUND);
      }
    }

    void add(int frame, int plain, int compressed) {
      boolean raw = compressed * 100L > plain * 97L;
      lengths[frame] = raw ? plain | ChunkHeader.RAW : compressed;
      total += raw ? plain : compressed;
    }
  }

  /** The name of a chunk. */
  public ChunkId id(ChunkType type, ByteBuffer plain) {
    checkLength(plain.remaining(), PLAIN_BYTES_MAX);
    return id(type.number(), plain);
  }

  /**
   * Writes the stored form of a chunk at a buffer's position, and moves that.
   *
   * @param id as {@link #id} says; not computed again
   * @param bases what the pages may be encoded against, one for each page; null for nothing
   * @param to has room for {@link #STORED_BYTES_MAX}
   * @return true if it was encoded against the bases: then {@link #bases} of it are needed to read
   *     it
   */
  public boolean encode(
      ChunkType type, ChunkId id, ByteBuffer plain, @Nullable PageBases bases, ByteBuffer to) {
    int length = plain.remaining();
    checkLength(length, PLAIN_BYTES_MAX);
    ByteBuffer direct = direct(plain);
    if (bases != null && !bases.isEmpty() && compressAgainst(direct, length, bases)) {
      write(type.number(), id, direct, length, against, bases, to);
      return true;
    }
    if (bases == null || bases.isEmpty()) {
      compressAlone(direct, length);
    }
    write(type.number(), id, direct, length, alone, null, to);
    return false;
  }

  /**
   * Gives the plain bytes of a stored form that is whole, is this chunk, and is of this domain.
   *
   * @param bases asked for what the chunk is encoded against, if it is
   * @return valid until the next call
   * @throws io.deltabox.store.StoreCorruptException if it is not what was stored
   * @throws io.deltabox.store.StoreFormatException if a newer program stored it
   * @throws KeyException if it is of another domain
   */
  public ByteBuffer decode(ChunkType type, ChunkId id, ByteBuffer stored, BaseSource bases)
      throws StoreException {
    ByteBuffer plain = decode(type.number(), id, id, stored, bases);
    if (!id(type.number(), plain).equals(id)) {
      throw ChunkHeader.corrupt(id, "the bytes of another chunk");
    }
    return plain;
  }

  /** The chunks that a stored form is encoded against, none for most. Needs no key. */
  public static List<ChunkId> bases(ChunkId id, ByteBuffer stored) throws StoreException {
    return ChunkHeader.parse(stored, id).bases();
  }

  /**
   * Seals a record.
   *
   * @param plain 1 to {@link #SEALED_BYTES_MAX} bytes
   */
  public Bytes seal(SealedKind kind, Bytes name, ByteBuffer plain) {
    int length = plain.remaining();
    checkLength(length, SEALED_BYTES_MAX);
    int type = kind.number() | ChunkHeader.SEALED;
    ByteBuffer direct = direct(plain);
    compressAlone(direct, length);
    int frames = ChunkHeader.frames(length);
    ByteBuffer to =
        ByteBuffer.allocate(
            ChunkHeader.bytes(length, 0)
                + alone.total
                + frames * ChunkHeader.TAG_BYTES
                + ChunkHeader.SUM_BYTES);
    write(type, id(type, name.buffer()), direct, length, alone, null, to);
    return Bytes.of(to.flip());
  }

  /**
   * Opens what was sealed as this kind under this name.
   *
   * @throws StoreException as {@link #decode}
   */
  public Bytes unseal(SealedKind kind, Bytes name, Bytes sealed) throws StoreException {
    int type = kind.number() | ChunkHeader.SEALED;
    Object told = kind + " " + name;
    return Bytes.of(decode(type, id(type, name.buffer()), told, sealed.buffer(), BaseSource.NONE));
  }

  @Override
  public void close() {
    compressor.close();
  }

  private ChunkId id(int type, ByteBuffer plain) {
    hashed[0] = (byte) type;
    hashed[1] = NAMING;
    idMac.update(hashed, 0, 2);
    int at = plain.position();
    while (at < plain.limit()) {
      int length = Math.min(FRAME_BYTES, plain.limit() - at);
      plain.get(at, hashed, 0, length);
      idMac.update(hashed, 0, length);
      at += length;
    }
    return ChunkId.read(ByteBuffer.wrap(idMac.doFinal()));
  }

  /**
   * Compresses both ways unless one is enough: true to take {@link #against}, else {@link #alone}.
   */
  private boolean compressAgainst(ByteBuffer plain, int length, PageBases bases) {
    int pages = length / PAGE_BYTES;
    if (length % PAGE_BYTES != 0 || bases.pages() != pages) {
      throw new IllegalArgumentException(
          "bases of other pages: bytes=" + length + " pages=" + bases.pages());
    }
    int frames = ChunkHeader.frames(length);
    against.begin(frames);
    int from = 0;
    for (int i = 0; i < frames; i++) {
      int plainBytes = Math.min(FRAME_BYTES, length - i * FRAME_BYTES);
      int to = from;
      for (int page = i * FRAME_PAGES; page < Math.min(pages, (i + 1) * FRAME_PAGES); page++) {
        to += bases.ordinal(page) == PageBases.NO_BASE ? 0 : PAGE_BYTES;
      }
      int compressed =
          compress(plain, i, plainBytes, bases.bytes().slice(from, to - from), against.bytes);
      against.add(i, plainBytes, compressed);
      from = to;
    }
    int cost = against.total + ChunkHeader.bytes(length, bases.chunks().size());
    if (cost < length / 4) {
      return true;
    }
    compressAlone(plain, length);
    return cost * 10L <= (alone.total + ChunkHeader.bytes(length, 0)) * 9L;
  }

  private int compress(ByteBuffer plain, int frame, int length, ByteBuffer before, ByteBuffer to) {
    int at = frame * FRAME_BYTES;
    int toAt = frame * FrameCompressor.BOUND;
    return before.hasRemaining()
        ? compressor.compress(plain, at, length, before, to, toAt)
        : compressor.compress(plain, at, length, to, toAt);
  }

  private void compressAlone(ByteBuffer plain, int length) {
    int frames = ChunkHeader.frames(length);
    alone.begin(frames);
    for (int i = 0; i < frames; i++) {
      int plainBytes = Math.min(FRAME_BYTES, length - i * FRAME_BYTES);
      int compressed =
          compressor.compress(
              plain, i * FRAME_BYTES, plainBytes, alone.bytes, i * FrameCompressor.BOUND);
      alone.add(i, plainBytes, compressed);
    }
  }

  private void write(
      int type,
      ChunkId id,
      ByteBuffer plain,
      int length,
      Frames frames,
      @Nullable PageBases bases,
      ByteBuffer to) {
    int count = ChunkHeader.frames(length);
    int headerBytes = ChunkHeader.bytes(length, bases == null ? 0 : bases.chunks().size());
    int stored = headerBytes + frames.total + count * ChunkHeader.TAG_BYTES + ChunkHeader.SUM_BYTES;
    ByteBuffer form = to.slice(to.position(), stored).order(LITTLE_ENDIAN);
    random.nextBytes(salt);
    form.put(ChunkHeader.MAGIC).put((byte) ChunkHeader.VERSION).put((byte) type);
    form.put((byte) domain.protection().number()).put((byte) count);
    domain.id().write(form);
    form.put(salt).putInt(length).putInt(stored);
    form.putShort((short) (bases == null ? 0 : bases.chunks().size())).putShort((short) 0);
    for (int i = 0; i < count; i++) {
      form.putInt(frames.lengths[i]);
    }
    if (bases != null) {
      writeBases(bases, form);
    }
    cipher.begin(id, form.duplicate().position(0), headerBytes);
    for (int i = 0; i < count; i++) {
      int frameBytes = frames.lengths[i] & ~ChunkHeader.RAW;
      if ((frames.lengths[i] & ChunkHeader.RAW) != 0) {
        cipher.seal(i, plain, i * FRAME_BYTES, frameBytes, form);
      } else {
        cipher.seal(i, frames.bytes, i * FrameCompressor.BOUND, frameBytes, form);
      }
    }
    form.putInt(ChunkHeader.sum(form, stored - ChunkHeader.SUM_BYTES));
    to.position(to.position() + stored);
  }

  private static void writeBases(PageBases bases, ByteBuffer form) {
    for (ChunkId base : bases.chunks()) {
      base.write(form);
    }
    for (int page = 0; page < bases.pages(); page++) {
      form.put((byte) (bases.ordinal(page) + 1)).put((byte) bases.place(page));
    }
  }

  private ByteBuffer decode(int type, ChunkId id, Object name, ByteBuffer stored, BaseSource bases)
      throws StoreException {
    ChunkHeader header = ChunkHeader.parse(stored, name);
    if (!header.domain().equals(domain.id())) {
      throw new KeyException(
          "stored under the keys of another domain: id="
              + name
              + " found="
              + header.domain()
              + " expected="
              + domain.id());
    }
    if (header.type() != type || header.protection() != domain.protection().number()) {
      throw ChunkHeader.corrupt(name, "type " + header.type() + " in place of " + type);
    }
    // First, because whoever gives the bases may use this codec for it.
    gather(header, name, bases);
    if (output.capacity() < header.plainBytes()) {
      output = ByteBuffer.allocateDirect(header.plainBytes());
    }
    output.clear();
    cipher.begin(id, header.stored().duplicate().position(0), header.bytes());
    int at = header.bytes();
    int olderAt = 0;
    for (int i = 0; i < header.frames(); i++) {
      int olderEnd = olderAt + olderBytes(header, i);
      if (!open(header, i, at, older.slice(olderAt, olderEnd - olderAt))) {
        throw ChunkHeader.corrupt(name, "a frame that was not sealed so, frame=" + i);
      }
      at += header.frameBytes(i) + ChunkHeader.TAG_BYTES;
      olderAt = olderEnd;
    }
    return output.position(0).limit(header.plainBytes()).slice().asReadOnlyBuffer();
  }

  private boolean open(ChunkHeader header, int frame, int at, ByteBuffer before) {
    int length = header.frameBytes(frame);
    int plainAt = frame * FRAME_BYTES;
    if (header.isRaw(frame)) {
      output.limit(output.capacity()).position(plainAt);
      return cipher.open(frame, header.stored(), at, length, output);
    }
    opened.clear();
    if (!cipher.open(frame, header.stored(), at, length, opened)) {
      return false;
    }
    int plain = header.plainBytes(frame);
    return before.hasRemaining()
        ? compressor.decompress(opened, length, before, output, plainAt, plain)
        : compressor.decompress(opened, length, output, plainAt, plain);
  }

  private static int olderBytes(ChunkHeader header, int frame) {
    int bytes = 0;
    if (header.hasBases()) {
      int end = Math.min(header.pages(), (frame + 1) * FRAME_PAGES);
      for (int page = frame * FRAME_PAGES; page < end; page++) {
        bytes += header.ordinal(page) == PageBases.NO_BASE ? 0 : PAGE_BYTES;
      }
    }
    return bytes;
  }

  /** Copies the pages of the bases together, base by base, so that each is asked for once. */
  private void gather(ChunkHeader header, Object name, BaseSource bases) throws StoreException {
    List<ChunkId> ids = header.bases();
    for (int ordinal = 0; ordinal < ids.size(); ordinal++) {
      ByteBuffer plain = bases.plain(ids.get(ordinal));
      int at = 0;
      for (int page = 0; page < header.pages(); page++) {
        int of = header.ordinal(page);
        if (of == ordinal) {
          int from = plain.position() + header.place(page) * PAGE_BYTES;
          if (from + PAGE_BYTES > plain.limit()) {
            throw ChunkHeader.corrupt(name, "a page behind the end of base " + ids.get(ordinal));
          }
          older.put(at, plain, from, PAGE_BYTES);
        }
        at += of == PageBases.NO_BASE ? 0 : PAGE_BYTES;
      }
    }
  }

  /** The same bytes in a direct buffer from its position 0 on. */
  private ByteBuffer direct(ByteBuffer plain) {
    if (plain.isDirect()) {
      return plain.slice();
    }
    if (plainCopy.capacity() < plain.remaining()) {
      plainCopy = ByteBuffer.allocateDirect(plain.remaining());
    }
    return plainCopy.clear().put(plain.duplicate()).flip();
  }

  private static void checkLength(int length, int most) {
    if (length < 1 || length > most) {
      throw new IllegalArgumentException("plain form of impossible length: bytes=" + length);
    }
  }
}
