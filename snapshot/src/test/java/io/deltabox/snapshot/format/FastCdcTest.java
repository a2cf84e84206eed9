package io.deltabox.snapshot.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class FastCdcTest {
  /** The cut points of version 1: what is stored for ever depends on them. */
  @Test
  void cut_knownBytes_cutsWhereVersionOneDoes() {
    assertThat(lengths(random(1, 1 << 20))).containsExactly(GOLDEN_RANDOM);
    assertThat(lengths(text(1 << 20))).containsExactly(GOLDEN_TEXT);
    assertThat(lengths(new byte[(1 << 20) + 1])).containsExactly(262144, 262144, 262144, 262144, 1);
  }

  @Test
  void cut_anyBytes_equalsOneByteAtATime() {
    for (int seed = 0; seed < 8; seed++) {
      byte[] data = random(seed, (2 << 20) + seed);
      assertThat(lengths(data)).isEqualTo(slowly(data));
    }
    byte[] text = text((2 << 20) + 5);
    assertThat(lengths(text)).isEqualTo(slowly(text));
  }

  @Test
  void cut_directBufferNotAtItsStart_cutsAlike() {
    byte[] data = random(7, 600_000);
    ByteBuffer direct = ByteBuffer.allocateDirect(data.length + 5);
    direct.position(3).put(data).flip().position(3);
    int first = FastCdc.cut(ByteBuffer.wrap(data));
    assertThat(FastCdc.cut(direct)).isEqualTo(first);
    assertThat(direct.position()).isEqualTo(3);
  }

  @Test
  void cut_shortRest_isOnePiece() {
    assertThat(lengths(new byte[1])).containsExactly(1);
    assertThat(lengths(random(3, FastCdc.MIN))).containsExactly(FastCdc.MIN);
    assertThatThrownBy(() -> FastCdc.cut(ByteBuffer.allocate(0)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void cut_bytesInsertedInFront_keepsMostPieces() {
    byte[] data = random(11, 8 << 20);
    byte[] moved = new byte[data.length + 1000];
    new Random(12).nextBytes(moved);
    System.arraycopy(data, 0, moved, 1000, data.length);
    Set<ByteBuffer> before = new HashSet<>(pieces(data));
    List<ByteBuffer> after = pieces(moved);
    long shared = after.stream().filter(before::contains).count();
    assertThat(shared).isGreaterThan(after.size() - 6L);
  }

  @Test
  void cut_randomBytes_isNearTheAverage() {
    List<Integer> lengths = lengths(random(13, 32 << 20));
    double mean = lengths.stream().mapToInt(Integer::intValue).average().orElseThrow();
    assertThat(mean).isBetween(65_000.0, 90_000.0);
    assertThat(lengths.subList(0, lengths.size() - 1))
        .allMatch(length -> length >= FastCdc.MIN && length <= FastCdc.MAX);
  }

  private static List<Integer> lengths(byte[] data) {
    return pieces(data).stream().map(ByteBuffer::remaining).toList();
  }

  private static List<ByteBuffer> pieces(byte[] data) {
    List<ByteBuffer> pieces = new ArrayList<>();
    ByteBuffer rest = ByteBuffer.wrap(data);
    while (rest.hasRemaining()) {
      int length = FastCdc.cut(rest);
      pieces.add(rest.slice(rest.position(), length));
      rest.position(rest.position() + length);
    }
    return pieces;
  }

  /** The definition, without the two bytes per step. */
  private static List<Integer> slowly(byte[] data) {
    long[] table = FastCdc.table();
    List<Integer> lengths = new ArrayList<>();
    int from = 0;
    while (from < data.length) {
      int end = Math.min(data.length, from + FastCdc.MAX);
      int at = Math.min(end, from + FastCdc.MIN);
      long hash = 0;
      while (at < end) {
        long mask = at - from < FastCdc.AVERAGE ? FastCdc.MASK_BEFORE : FastCdc.MASK_BEHIND;
        hash = (hash << 1) + table[data[at++] & 0xff];
        if ((hash & mask) == 0) {
          break;
        }
      }
      lengths.add(at - from);
      from = at;
    }
    return lengths;
  }

  /** The generator of {@link Random} is specified to the bit. */
  private static byte[] random(long seed, int length) {
    byte[] data = new byte[length];
    new Random(seed).nextBytes(data);
    return data;
  }

  private static byte[] text(int length) {
    Random random = new Random(99);
    byte[] data = new byte[length];
    for (int i = 0; i < length; i++) {
      data[i] = (byte) (random.nextInt(6) == 0 ? ' ' : 'a' + random.nextInt(20));
    }
    return data;
  }

  private static final Integer[] GOLDEN_RANDOM = {
    34023, 71707, 71215, 109440, 71576, 41742, 96797, 118955, 73222, 71785, 87855, 96635, 66450,
    37174
  };
  private static final Integer[] GOLDEN_TEXT = {
    69889, 106737, 73899, 59130, 69587, 73779, 66171, 70828, 79817, 70342, 80981, 72678, 74807,
    79931
  };
}
