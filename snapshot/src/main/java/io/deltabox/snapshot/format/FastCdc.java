package io.deltabox.snapshot.format;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Cuts a stream of bytes where its content says so, so that equal stretches of two streams become
 * equal pieces although something was inserted before them: FastCDC (Xia et al., USENIX ATC 2016,
 * and IEEE TPDS 2020) with a gear hash, normalised at level 2. Pieces are {@value #MIN} to {@value
 * #MAX} bytes, on average a little more than {@value #AVERAGE}; only the last may be shorter.
 *
 * <p>The places are part of the stored format: another table or mask would store everything anew.
 *
 * <p>The hash after a byte is {@code 2 * hash + table[byte]}, so a bit of it depends on as many
 * bytes as it is high; the masks therefore take high bits, spread so that few of the last 63 bytes
 * decide alone. Two bytes are taken per step: the hash after the first of them is looked at shifted
 * left by one, with the mask shifted alike, which is the same test only as long as no mask has bit
 * 63.
 */
public final class FastCdc {
  /** No piece but the last is shorter. */
  public static final int MIN = 16 << 10;

  /** Where the test becomes easier. */
  public static final int AVERAGE = 64 << 10;

  /** No piece is longer. */
  public static final int MAX = 256 << 10;

  /** 18 bits before the average: a cut is 4 times rarer than 1 in {@link #AVERAGE}. */
  static final long MASK_BEFORE = 0x5555_5555_5000_0000L;

  /** 14 bits behind it, all in the other mask: 4 times more frequent. */
  static final long MASK_BEHIND = 0x5555_5550_0000_0000L;

  private static final long[] TABLE = table();
  private static final long[] TABLE_SHIFTED = shifted();

  private FastCdc() {}

  /**
   * Length of the first piece of what remains in a buffer, whose position stays. A buffer with less
   * than {@link #MAX} bytes must hold all that is left of the stream.
   *
   * @return 1 to {@link #MAX}
   * @throws IllegalArgumentException if nothing remains
   */
  public static int cut(ByteBuffer data) {
    int length = Math.min(data.remaining(), MAX);
    if (length == 0) {
      throw new IllegalArgumentException("nothing to cut");
    }
    if (length <= MIN) {
      return length;
    }
    int from = data.position();
    int end = from + length;
    int middle = Math.min(from + AVERAGE, end);
    long hash = 0;
    int at = from + MIN;
    // Minimum and average are even, so only at the end of the stream can one byte be left over.
    for (; at + 1 < middle; at += 2) {
      hash = (hash << 2) + TABLE_SHIFTED[data.get(at) & 0xff];
      if ((hash & (MASK_BEFORE << 1)) == 0) {
        return at + 1 - from;
      }
      hash += TABLE[data.get(at + 1) & 0xff];
      if ((hash & MASK_BEFORE) == 0) {
        return at + 2 - from;
      }
    }
    for (; at + 1 < end; at += 2) {
      hash = (hash << 2) + TABLE_SHIFTED[data.get(at) & 0xff];
      if ((hash & (MASK_BEHIND << 1)) == 0) {
        return at + 1 - from;
      }
      hash += TABLE[data.get(at + 1) & 0xff];
      if ((hash & MASK_BEHIND) == 0) {
        return at + 2 - from;
      }
    }
    // A last odd byte ends the piece in any case.
    return length;
  }

  /** What a byte adds: the first 8 bytes, big-endian, of the SHA-256 of a name and the byte. */
  static long[] table() {
    long[] table = new long[256];
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (int i = 0; i < table.length; i++) {
        digest.update("deltabox gear 1".getBytes(US_ASCII));
        table[i] = ByteBuffer.wrap(digest.digest(new byte[] {(byte) i})).getLong();
      }
    } catch (NoSuchAlgorithmException e) {
      throw new LinkageError("every Java platform has SHA-256", e);
    }
    return table;
  }

  private static long[] shifted() {
    long[] shifted = new long[256];
    for (int i = 0; i < shifted.length; i++) {
      shifted[i] = TABLE[i] << 1;
    }
    return shifted;
  }
}
