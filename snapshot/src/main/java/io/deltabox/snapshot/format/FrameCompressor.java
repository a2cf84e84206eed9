package io.deltabox.snapshot.format;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdDictCompress;
import com.github.luben.zstd.ZstdDictDecompress;
import com.github.luben.zstd.ZstdException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The zstd contexts of one thread. A frame is compressed alone, or with older pages as what came
 * before it; those begin with a mark, because zstd takes a prefix that happens to begin like one of
 * its dictionaries for one. All buffers are direct.
 */
final class FrameCompressor implements AutoCloseable {
  static final int BOUND = Math.toIntExact(Zstd.compressBound(ChunkCodec.FRAME_BYTES));
  static final byte[] MARK = "DBXBASE1".getBytes(US_ASCII);

  /** Fast enough to be in the path of every new byte. */
  private static final int LEVEL = 1;

  private final ZstdCompressCtx alone = new ZstdCompressCtx().setLevel(LEVEL);
  private final ZstdCompressCtx against = new ZstdCompressCtx().setDictID(false);
  private final ZstdDecompressCtx decompress = new ZstdDecompressCtx();
  private final ZstdDecompressCtx decompressAgainst = new ZstdDecompressCtx();
  private final ByteBuffer before =
      ByteBuffer.allocateDirect(MARK.length + ChunkCodec.FRAME_BYTES).put(MARK);
  private @Nullable ZstdDictCompress compressDictionary;
  private @Nullable ZstdDictDecompress decompressDictionary;

  /** Compresses; the result has at most {@link #BOUND} bytes. */
  int compress(ByteBuffer plain, int at, int length, ByteBuffer to, int toAt) {
    return alone.compressDirectByteBuffer(to, toAt, BOUND, plain, at, length);
  }

  /** The same with older pages before it: all that remain in a buffer, whose position stays. */
  int compress(ByteBuffer plain, int at, int length, ByteBuffer older, ByteBuffer to, int toAt) {
    ZstdDictCompress next = new ZstdDictCompress(prefix(older), LEVEL, /* byReference= */ true);
    against.loadDict(next);
    if (compressDictionary != null) {
      compressDictionary.close();
    }
    compressDictionary = next;
    return against.compressDirectByteBuffer(to, toAt, BOUND, plain, at, length);
  }

  /** Gives back exactly so many bytes; false if it cannot. */
  boolean decompress(ByteBuffer from, int length, ByteBuffer to, int at, int plainBytes) {
    return decompress(decompress, from, length, to, at, plainBytes);
  }

  /** The same with older pages before it. */
  boolean decompress(
      ByteBuffer from, int length, ByteBuffer older, ByteBuffer to, int at, int plainBytes) {
    ZstdDictDecompress next = new ZstdDictDecompress(prefix(older), /* byReference= */ true);
    decompressAgainst.loadDict(next);
    if (decompressDictionary != null) {
      decompressDictionary.close();
    }
    decompressDictionary = next;
    return decompress(decompressAgainst, from, length, to, at, plainBytes);
  }

  private static boolean decompress(
      ZstdDecompressCtx context, ByteBuffer from, int length, ByteBuffer to, int at, int plain) {
    try {
      return context.decompressDirectByteBuffer(to, at, plain, from, 0, length) == plain;
    } catch (ZstdException e) {
      return false;
    }
  }

  private ByteBuffer prefix(ByteBuffer older) {
    before.clear().position(MARK.length);
    return before.put(older.duplicate()).flip();
  }

  @Override
  public void close() {
    alone.close();
    against.close();
    decompress.close();
    decompressAgainst.close();
    if (compressDictionary != null) {
      compressDictionary.close();
    }
    if (decompressDictionary != null) {
      decompressDictionary.close();
    }
  }
}
