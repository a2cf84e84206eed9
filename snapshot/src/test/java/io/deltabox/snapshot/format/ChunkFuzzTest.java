package io.deltabox.snapshot.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreFormatException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Whatever happens to a stored form, it is an error with a name or the bytes that were stored. */
final class ChunkFuzzTest {
  private static final int ROUNDS = Boolean.getBoolean("deltabox.long") ? 200_000 : 4_000;

  /** Reading a form may use the JVM's heap for a few small objects, never for what it claims. */
  private static final long HEAP_PER_ROUND = 64 << 10;

  private record Sample(ChunkType type, ChunkId id, Bytes plain, Bytes stored) {}

  @Test
  void decode_changedForm_isAnErrorOrTheStoredBytes() throws Exception {
    long seed = Long.getLong("deltabox.seed", System.nanoTime());
    System.out.println("ChunkFuzzTest deltabox.seed=" + seed);
    Random random = new Random(seed);
    for (Protection protection : Protection.values()) {
      try (ChunkCodec codec = Forms.codec(protection)) {
        ByteBuffer base = Forms.words(9, 20 * 4096);
        List<Sample> samples = samples(codec, base);
        long before = allocated();
        for (int round = 0; round < ROUNDS / 2; round++) {
          Sample sample = samples.get(random.nextInt(samples.size()));
          byte[] changed = change(sample.stored().toArray(), samples, random);
          check(codec, sample, changed, base, seed);
        }
        // The changed copies are counted too: 256 KiB and a little each at most.
        assertThat(allocated() - before)
            .isLessThan(ROUNDS / 2 * (HEAP_PER_ROUND + 2L * ChunkCodec.STORED_BYTES_MAX));
      }
    }
  }

  @Test
  void unseal_everyByteFlipped_isAnError() throws Exception {
    try (ChunkCodec codec = Forms.codec(Protection.ENCRYPTED)) {
      Bytes name = Bytes.of("n");
      byte[] sealed = codec.seal(SealedKind.NAME, name, Forms.words(1, 300)).toArray();
      for (int i = 0; i < sealed.length; i++) {
        for (boolean repaired : new boolean[] {false, true}) {
          byte[] changed = sealed.clone();
          changed[i] ^= (byte) (1 << (i & 7));
          if (repaired && i < sealed.length - 4) {
            repair(changed);
          }
          try {
            codec.unseal(SealedKind.NAME, name, Bytes.of(changed));
            fail("opened with a changed byte: at=" + i);
          } catch (StoreCorruptException | StoreFormatException | KeyException e) {
            assertThat(e.getMessage()).isNotEmpty();
          }
        }
      }
    }
  }

  private static void check(
      ChunkCodec codec, Sample sample, byte[] changed, ByteBuffer base, long seed) {
    try {
      ByteBuffer got =
          codec.decode(sample.type(), sample.id(), ByteBuffer.wrap(changed), id -> base);
      if (!Bytes.of(got).equals(sample.plain())) {
        fail("wrong bytes: seed=" + seed);
      }
    } catch (StoreCorruptException | StoreFormatException | KeyException e) {
      assertThat(e.getMessage()).contains(sample.id().toString());
    } catch (StoreException | RuntimeException e) {
      fail("an error without a name: seed=" + seed, e);
    }
  }

  private static List<Sample> samples(ChunkCodec codec, ByteBuffer base) {
    List<Sample> samples = new ArrayList<>();
    for (int length : new int[] {1, 50, 4096, 70_000, 140_000}) {
      samples.add(sample(codec, ChunkType.FILE, Forms.words(length, length), null));
      samples.add(sample(codec, ChunkType.TABLE, Forms.random(length, length), null));
    }
    ByteBuffer after = Forms.direct(Forms.bytes(base));
    PageBases bases = new PageBases();
    ChunkId baseId = codec.id(ChunkType.PAGES, base);
    for (int page = 0; page < 20; page++) {
      after.putLong(page * 4096 + 99, page);
      bases.page(baseId, page, base.slice(page * 4096, 4096));
    }
    samples.add(sample(codec, ChunkType.PAGES, after, bases));
    return samples;
  }

  private static Sample sample(
      ChunkCodec codec, ChunkType type, ByteBuffer plain, @Nullable PageBases bases) {
    ChunkId id = codec.id(type, plain);
    ByteBuffer to = ByteBuffer.allocateDirect(ChunkCodec.STORED_BYTES_MAX);
    assertThat(codec.encode(type, id, plain, bases, to)).isEqualTo(bases != null);
    return new Sample(type, id, Bytes.of(plain), Bytes.of(to.flip()));
  }

  private static byte[] change(byte[] stored, List<Sample> samples, Random random) {
    byte[] changed = stored.clone();
    int header = Math.min(stored.length, 200);
    switch (random.nextInt(6)) {
      case 0 -> changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
      case 1 -> changed[random.nextInt(header)] = (byte) random.nextInt(256);
      case 2 -> changed = Arrays.copyOf(changed, random.nextInt(changed.length + 1));
      case 3 -> changed = Arrays.copyOf(changed, changed.length + 1 + random.nextInt(64));
      case 4 -> {
        byte[] other = samples.get(random.nextInt(samples.size())).stored().toArray();
        int length = random.nextInt(Math.min(other.length, changed.length)) + 1;
        System.arraycopy(other, 0, changed, 0, length);
      }
      default ->
          ByteBuffer.wrap(changed)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putInt(random.nextInt(Math.max(1, header - 4)), random.nextInt());
    }
    // Half of them with a right checksum, so that all that comes behind it is met too.
    if (random.nextBoolean() && changed.length >= 56) {
      ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).putInt(44, changed.length);
      repair(changed);
    }
    return changed;
  }

  private static void repair(byte[] form) {
    ByteBuffer buffer = ByteBuffer.wrap(form).order(ByteOrder.LITTLE_ENDIAN);
    buffer.putInt(form.length - 4, ChunkHeader.sum(buffer, form.length - 4));
  }

  private static long allocated() {
    return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean())
        .getCurrentThreadAllocatedBytes();
  }
}
