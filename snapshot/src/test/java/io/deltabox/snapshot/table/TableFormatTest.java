package io.deltabox.snapshot.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.snapshot.SnapshotInfo;
import io.deltabox.snapshot.SnapshotSpec;
import io.deltabox.store.Bytes;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.testkit.Samples;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Stored forms: they come back, and anything else is refused. */
final class TableFormatTest {
  private static final long SEED = Samples.seed("format");
  private final Random random = new Random(SEED);

  /** Something that reads bytes. */
  private interface Decoder {
    void decode(byte[] bytes) throws StoreCorruptException;
  }

  @Test
  void decode_ofAnyLayer_givesItBack() throws Exception {
    for (int i = 0; i < Samples.count(300, 3000); i++) {
      Layer layer = RandomLayers.layer(random);
      byte[] bytes = TableFormat.encode(layer);
      Layer read = TableFormat.decode(ByteBuffer.wrap(bytes));
      assertThat(read).as("seed=" + SEED + " i=" + i).isEqualTo(layer);
      assertThat(TableFormat.encode(read)).isEqualTo(bytes);
    }
  }

  @Test
  void encode_ofUniformPages_takesLessThanFourBytesPerPage() {
    PageRuns.Builder runs = new PageRuns.Builder();
    long page = 0x5555_5555_4L;
    for (int i = 0; i < 995; i++) {
      page += 1 + random.nextInt(100);
      runs.add(page, 1, Samples.id(i / 64), i % 64);
    }
    Layer layer =
        Layer.over(
            Layer.EMPTY,
            new Layer(
                new java.util.TreeMap<>(Map.of("p/1", runs.build())),
                new java.util.TreeSet<>(),
                new java.util.TreeSet<>(),
                new java.util.TreeMap<>(),
                new java.util.TreeSet<>()));
    assertThat(TableFormat.encode(layer).length).isLessThan(4 * 995);
  }

  private Manifest manifest() {
    SnapshotSpec spec =
        new SnapshotSpec(
            new UUID(1, 2), new UUID(3, 4), Instant.ofEpochSecond(5, 6), Map.of("kind", "test"));
    SnapshotInfo info = new SnapshotInfo(spec, Samples.content(7, 32), 8, 9, 10, 11, 12, 13);
    StreamRef table = new StreamRef(List.of(Samples.id(1), Samples.id(2)), 300_000);
    return new Manifest(info, table, StreamRef.EMPTY, table, 3, 16, StreamRef.EMPTY);
  }

  @Test
  void decode_ofManifest_givesItBack() throws Exception {
    byte[] bytes = ManifestFormat.encode(manifest());
    assertThat(ManifestFormat.decode(new UUID(1, 2), bytes)).isEqualTo(manifest());
  }

  @Test
  void decode_ofManifestOfAnother_isRefused() {
    byte[] bytes = ManifestFormat.encode(manifest());
    assertThatThrownBy(() -> ManifestFormat.decode(new UUID(1, 3), bytes))
        .isInstanceOf(StoreCorruptException.class)
        .hasMessageContaining("manifest of another snapshot");
  }

  @Test
  void decode_ofRecords_givesThemBackByKind() throws Exception {
    List<RecordStream.Item> items =
        List.of(item(7, 10), item(2, 0), item(7, 300), item(2, 5), item(1 << 30, 1));
    List<RecordStream.Item> read = RecordStream.decode(ByteBuffer.wrap(RecordStream.encode(items)));
    assertThat(read)
        .containsExactly(items.get(1), items.get(3), items.get(0), items.get(2), items.get(4));
  }

  private RecordStream.Item item(int kind, int bytes) {
    return new RecordStream.Item(kind, Samples.bytes(random, bytes).buffer());
  }

  @Test
  void decoders_ofDamagedBytes_refuseOrReadThem() throws Exception {
    Layer layer = RandomLayers.layer(random);
    fuzz(TableFormat.encode(layer), bytes -> TableFormat.decode(ByteBuffer.wrap(bytes)));
    fuzz(ManifestFormat.encode(manifest()), bytes -> ManifestFormat.decode(new UUID(1, 2), bytes));
    fuzz(
        RecordStream.encode(List.of(item(1, 100), item(2, 200))),
        bytes -> RecordStream.decode(ByteBuffer.wrap(bytes)));
    fuzz(
        ManifestFormat.summary(List.of(Samples.id(1))).toArray(),
        bytes -> ManifestFormat.bases(Samples.id(1), Bytes.of(bytes)));
  }

  /** No failure but the one that is declared. */
  private void fuzz(byte[] good, Decoder decoder) throws Exception {
    decoder.decode(good);
    int refused = 0;
    int rounds = Samples.count(20_000, 500_000);
    for (int round = 0; round < rounds; round++) {
      byte[] bytes = damaged(good);
      try {
        decoder.decode(bytes);
      } catch (StoreCorruptException e) {
        refused++;
      } catch (RuntimeException | Error e) {
        throw new AssertionError("seed=" + SEED + " bytes=" + Arrays.toString(bytes), e);
      }
    }
    assertThat(refused).isGreaterThan(rounds / 50);
  }

  private byte[] damaged(byte[] good) {
    byte[] bytes = good.clone();
    if (random.nextInt(4) == 0) {
      bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
    }
    for (int i = random.nextInt(4); i >= 0 && bytes.length > 0; i--) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
    }
    return bytes;
  }
}
