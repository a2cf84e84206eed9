package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is kept of an output, and what its readers see. */
@Timeout(240)
final class OutputTailTest {
  private static final int MAX = 8192;

  private final AtomicInteger rooms = new AtomicInteger();

  private OutputTail tail(boolean lossless) {
    return new OutputTail(MAX, lossless, rooms::incrementAndGet);
  }

  private static void append(OutputTail tail, int count, int first) {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) (first + i);
    }
    tail.append(ByteBuffer.wrap(bytes));
  }

  @Test
  void space_losslessBeforeTheFirstReader_shrinksToNothing() throws Exception {
    OutputTail tail = tail(true);
    append(tail, MAX, 0);
    assertThat(tail.space()).isZero();
    try (InputStream reader = tail.open()) {
      assertThat(reader.readNBytes(100)).hasSize(100);
      assertThat(tail.space()).isEqualTo(100);
      assertThat(rooms.get()).isPositive();
    }
    assertThat(tail.space()).isEqualTo(MAX);
  }

  @Test
  void space_twoReaders_isThatOfTheSlowest() throws Exception {
    OutputTail tail = tail(true);
    InputStream fast = tail.open();
    InputStream slow = tail.open();
    append(tail, 1000, 0);
    assertThat(fast.readNBytes(1000)).hasSize(1000);
    assertThat(slow.readNBytes(10)).hasSize(10);
    assertThat(tail.space()).isEqualTo(MAX - 990);
    slow.close();
    assertThat(tail.space()).isEqualTo(MAX);
  }

  @Test
  void append_lossyBeyondTheBound_keepsTheLastBytes() {
    OutputTail tail = tail(false);
    for (int i = 0; i < 10; i++) {
      append(tail, 3000, i * 3000);
    }
    assertThat(tail.truncated()).isTrue();
    byte[] kept = tail.snapshot();
    assertThat(kept).hasSize(MAX);
    assertThat(kept[MAX - 1]).isEqualTo((byte) 29999);
    assertThat(kept[0]).isEqualTo((byte) (30000 - MAX));
  }

  @Test
  void read_lossyReaderTooSlow_skipsToWhatIsKept() throws Exception {
    OutputTail tail = tail(false);
    InputStream reader = tail.open();
    append(tail, 3 * MAX, 0);
    tail.end();
    assertThat(reader.readAllBytes()).hasSize(MAX);
  }

  @Test
  void read_afterEnd_stopsThereThoughMoreComes() throws Exception {
    OutputTail tail = tail(true);
    InputStream early = tail.open();
    append(tail, 10, 0);
    tail.end();
    append(tail, 5, 10);
    assertThat(early.readAllBytes()).hasSize(10);
    assertThat(tail.open().readAllBytes()).hasSize(15);
  }

  @Test
  void read_reopened_goesOnUntilTheNextEnd() throws Exception {
    OutputTail tail = tail(true);
    append(tail, 10, 0);
    tail.end();
    tail.reopen();
    InputStream reader = tail.open();
    append(tail, 10, 10);
    tail.end();
    assertThat(reader.readAllBytes()).hasSize(20);
  }

  @Test
  void read_randomPieces_areTheSameBytes() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    OutputTail tail = tail(true);
    InputStream reader = tail.open();
    byte[] all = new byte[200_000];
    random.nextBytes(all);
    byte[] seen = new byte[all.length];
    int written = 0;
    int read = 0;
    while (read < all.length) {
      int room = Math.min(tail.space(), all.length - written);
      if (room > 0 && random.nextBoolean()) {
        int count = 1 + random.nextInt(room);
        tail.append(ByteBuffer.wrap(all, written, count));
        written += count;
      } else if (reader.available() > 0) {
        read += reader.read(seen, read, Math.min(1 + random.nextInt(5000), all.length - read));
      }
    }
    assertThat(Arrays.equals(all, seen)).as("seed=" + seed).isTrue();
  }
}
