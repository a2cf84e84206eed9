package io.deltabox.snapshot;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.snapshot.format.KeySource;
import io.deltabox.snapshot.format.MasterKey;
import io.deltabox.snapshot.format.Protection;
import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import io.deltabox.store.Durability;
import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.Space;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreMissingException;
import io.deltabox.store.Stores;
import io.deltabox.store.testkit.Samples;
import java.net.URI;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Snapshots come back bit by bit, whatever was written, deleted and swept between. */
final class SnapshotStoreTest {
  private final HotStore hot = open();
  private final SnapshotStore store = store(hot);

  private static HotStore open() {
    try {
      return Stores.openHot(
          URI.create("memory:snapshots-" + UUID.randomUUID()), OpenOptions.create());
    } catch (StoreException e) {
      throw new AssertionError(e);
    }
  }

  private static SnapshotStore store(HotStore hot) {
    try {
      return SnapshotStore.open(
          hot,
          KeySource.given(MasterKey.random(new SecureRandom())),
          Protection.ENCRYPTED,
          SnapshotOptions.standard());
    } catch (StoreException e) {
      throw new AssertionError(e);
    }
  }

  @AfterEach
  void close() throws Exception {
    store.close();
  }

  @Test
  void snapshots_ofRandomLineages_comeBackBitExact() throws Exception {
    long seed = Samples.seed("snapshots");
    Random random = new Random(seed);
    Map<UUID, Model> live = new LinkedHashMap<>();
    for (int step = 0; step < Samples.count(150, 1500); step++) {
      String where = "seed=" + seed + " step=" + step;
      List<UUID> ids = new ArrayList<>(live.keySet());
      int what = random.nextInt(12);
      if (what == 0 && ids.size() > 3) {
        UUID gone = ids.get(random.nextInt(ids.size()));
        store.delete(gone);
        live.remove(gone);
      } else if (what == 1) {
        store.sweep();
      } else if (what == 2 && !ids.isEmpty()) {
        UUID some = ids.get(random.nextInt(ids.size()));
        requireNonNull(live.get(some)).assertSame(store.read(some), where);
      } else {
        write(random, live, ids);
      }
    }
    for (Map.Entry<UUID, Model> one : live.entrySet()) {
      one.getValue().assertSame(store.read(one.getKey()), "seed=" + seed + " end");
    }
    assertThat(store.verify().damages()).isEmpty();
    live.keySet().forEach(this::delete);
    store.sweep();
    assertThat(Samples.ids(hot.chunks(), new ChunkId(0, 0, 0, 0))).isEmpty();
    assertThat(Samples.records(hot).keySet()).containsExactly(Space.META);
  }

  private void delete(UUID id) {
    try {
      store.delete(id);
    } catch (StoreException e) {
      throw new AssertionError(e);
    }
  }

  private void write(Random random, Map<UUID, Model> live, List<UUID> ids) throws Exception {
    UUID parent =
        ids.isEmpty() || random.nextInt(20) == 0
            ? null
            : ids.get(ids.size() - 1 - random.nextInt(Math.min(ids.size(), 4)));
    Model model = parent == null ? new Model() : requireNonNull(live.get(parent)).copy();
    UUID id = new UUID(random.nextLong(), random.nextLong());
    try (SnapshotWriter writer = store.begin(Model.spec(parent, id))) {
      model.change(random, writer, 300);
      if (random.nextInt(8) != 0) {
        Receipt receipt = writer.commit(Durability.BUFFERED);
        assertThat(receipt.committed()).isTrue();
        live.put(id, model);
      }
    }
  }

  private UUID one(long number) throws Exception {
    UUID id = new UUID(1, number);
    try (SnapshotWriter writer = store.begin(Model.spec(null, id))) {
      new Model().change(new Random(number), writer, 200);
      writer.pages(
          "p/1",
          List.of(new PageRange(3, 4)),
          ByteBuffer.wrap(Samples.content(number, 4096).toArray()),
          null);
      writer.commit(Durability.SYNC);
    }
    return id;
  }

  @Test
  void commit_withConditionThatFails_changesNothingAndCanBeRepeated() throws Exception {
    UUID id = new UUID(1, 1);
    Bytes key = Bytes.of("name");
    try (SnapshotWriter writer = store.begin(Model.spec(null, id))) {
      RecordBatch wrong = new RecordBatch().expect(Space.REF, key, Bytes.of("other"));
      assertThat(writer.commit(Durability.SYNC, wrong).committed()).isFalse();
      assertThat(store.has(id)).isFalse();
      RecordBatch right = new RecordBatch().expectAbsent(Space.REF, key).put(Space.REF, key, key);
      assertThat(writer.commit(Durability.SYNC, right).committed()).isTrue();
    }
    assertThat(store.has(id)).isTrue();
    assertThat(hot.records().get(Space.REF, key)).contains(key);
  }

  @Test
  void read_ofMissingChunk_failsNamingChunkAndSnapshot() throws Exception {
    UUID id = one(1);
    for (ChunkId chunk : Samples.ids(hot.chunks(), new ChunkId(0, 0, 0, 0))) {
      Map<ChunkId, Bytes> kept = Samples.read(hot.chunks(), List.of(chunk));
      hot.chunks().delete(List.of(chunk));
      VerifyReport report = store.verify();
      assertThat(report.clean()).isFalse();
      assertThat(report.damages().get(0).what()).contains(chunk.toString());
      assertThat(report.damages().get(0).snapshots()).containsExactly(id);
      assertThatThrownBy(() -> readAll(id))
          .isInstanceOf(StoreCorruptException.class)
          .hasMessageContaining(chunk.toString())
          .hasMessageContaining(id.toString());
      hot.chunks().write(List.of(Samples.chunk(chunk, requireNonNull(kept.get(chunk)))));
    }
    assertThat(store.verify().clean()).isTrue();
  }

  private void readAll(UUID id) throws Exception {
    SnapshotReader reader = store.read(id);
    for (String map : reader.maps()) {
      reader.pages(map, PageRange.ALL, (ranges, bytes) -> {});
    }
    reader.files(
        (file, content) -> {
          if (content != null) {
            while (content.read(ByteBuffer.allocate(10_000)) >= 0) {}
          }
        });
    reader.records((kind, bytes) -> {});
  }

  @Test
  void verify_ofFlippedBits_namesTheChunk() throws Exception {
    UUID id = one(2);
    Random random = new Random(Samples.seed("bits"));
    for (ChunkId chunk : Samples.ids(hot.chunks(), new ChunkId(0, 0, 0, 0))) {
      Bytes kept = Samples.read(hot.chunks(), List.of(chunk)).values().iterator().next();
      byte[] damaged = kept.toArray();
      damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
      hot.chunks().write(List.of(Samples.chunk(chunk, Bytes.of(damaged))));
      VerifyReport report = store.verify();
      assertThat(report.clean()).as("chunk=" + chunk).isFalse();
      assertThat(report.damages().get(0).snapshots()).containsExactly(id);
      hot.chunks().write(List.of(Samples.chunk(chunk, kept)));
    }
    assertThat(store.verify().clean()).isTrue();
  }

  @Test
  void read_ofDeletedSnapshot_saysThatItIsMissing() throws Exception {
    UUID id = one(3);
    SnapshotReader reader = store.read(id);
    store.delete(id);
    assertThatThrownBy(() -> store.read(id)).isInstanceOf(StoreMissingException.class);
    store.sweep();
    assertThatThrownBy(() -> reader.records((kind, bytes) -> {}))
        .isInstanceOf(StoreMissingException.class)
        .hasMessageContaining("deleted while it was read");
  }

  @Test
  void snapshots_inOneLongLine_areReadBackWhole() throws Exception {
    Random random = new Random(Samples.seed("deep"));
    Model model = new Model();
    UUID parent = null;
    int depth = Samples.count(200, 1000);
    for (int step = 0; step <= depth; step++) {
      UUID id = new UUID(2, step);
      try (SnapshotWriter writer = store.begin(Model.spec(parent, id))) {
        model.change(random, writer, step == 0 ? 2000 : 5);
        writer.commit(Durability.BUFFERED);
      }
      if (parent != null && step % 3 == 0) {
        store.delete(parent);
      }
      parent = id;
    }
    store.sweep();
    model.assertSame(store.read(new UUID(2, depth)), "deep");
  }
}
