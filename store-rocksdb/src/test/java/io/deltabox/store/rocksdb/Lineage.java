package io.deltabox.store.rocksdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.store.Bytes;
import io.deltabox.store.Chunk;
import io.deltabox.store.ChunkId;
import io.deltabox.store.Durability;
import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.RecordRange;
import io.deltabox.store.Space;
import io.deltabox.store.StoreException;
import io.deltabox.store.testkit.Samples;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A lineage as snapshots make it: chunks, then a record that refers to them and a name that moves
 * to it, in one commit. Old steps are removed, records first.
 *
 * <p>All of a step follows from its number, so whoever finds a record knows what must be there.
 */
final class Lineage {
  private static final int KEPT = 40;

  /** A small store writes its tables and collects its blob files all the time. */
  private static final OpenOptions OPTIONS = new OpenOptions(OpenOptions.Access.CREATE, 2 << 20);

  private static final Bytes HEAD = Bytes.of("head");

  private Lineage() {}

  /**
   * {@code STORE SEED N}: goes on from where it was and makes one of N steps durable, until it is
   * killed. Says {@code ack STEP.} when a step is durable, {@code buffered STEP.} when it is not.
   */
  public static void main(String[] args) throws Exception {
    try (HotStore store = TestStore.open(Path.of(args[0]), OPTIONS)) {
      Random random = new Random(Long.parseLong(args[1]));
      int share = Integer.parseInt(args[2]);
      for (long step = head(store) + 1; ; step++) {
        boolean synced = step(store, step, random.nextInt(share) == 0);
        System.out.println((synced ? "ack " : "buffered ") + step + ".");
      }
    }
  }

  /** The newest step; 0 for none. */
  static long head(HotStore store) throws StoreException {
    return store.records().get(Space.REF, HEAD).map(value -> value.buffer().getLong()).orElse(0L);
  }

  static boolean step(HotStore store, long step, boolean synced) throws StoreException {
    List<Chunk> chunks = new ArrayList<>();
    for (int i = 0; i < count(step); i++) {
      chunks.add(Samples.chunk(id(step, i), content(step, i)));
    }
    store.chunks().write(chunks);
    RecordBatch batch =
        new RecordBatch()
            .put(Space.MANIFEST, key(step), number(count(step)))
            .put(Space.REF, HEAD, number(step));
    if (step > 1) {
      batch.expect(Space.REF, HEAD, number(step - 1));
    } else {
      batch.expectAbsent(Space.REF, HEAD);
    }
    long old = step - KEPT;
    if (old > 0) {
      batch.delete(Space.MANIFEST, key(old));
    }
    Durability durability = synced ? Durability.SYNC : Durability.BUFFERED;
    assertThat(store.records().commit(batch, durability).committed()).isTrue();
    if (old > 0) {
      List<ChunkId> gone = new ArrayList<>();
      for (int i = 0; i < count(old); i++) {
        gone.add(id(old, i));
      }
      store.chunks().delete(gone);
    }
    return synced;
  }

  /**
   * Every step down from the head is there with all its chunks, and nothing else but chunks of the
   * steps next to both ends.
   *
   * @return the head
   */
  static long assertWhole(HotStore store, String where) throws StoreException {
    long head = head(store);
    Map<Bytes, Bytes> manifests = Samples.scan(store.records(), Space.MANIFEST, RecordRange.ALL);
    int expected = (int) Math.min(head, KEPT);
    assertThat(manifests).as(where).hasSize(expected);
    for (long step = head; step > head - expected; step--) {
      assertThat(manifests.get(key(step))).as(where).isEqualTo(number(count(step)));
      List<ChunkId> ids = new ArrayList<>();
      for (int i = 0; i < count(step); i++) {
        ids.add(id(step, i));
      }
      Map<ChunkId, Bytes> found = Samples.read(store.chunks(), ids);
      for (int i = 0; i < count(step); i++) {
        assertThat(found.get(id(step, i))).as(where).isEqualTo(content(step, i));
      }
      assertThat(store.chunks().has(ids)).as(where).hasSize(count(step));
    }
    return head;
  }

  private static int count(long step) {
    return 1 + (int) (step % 5);
  }

  private static ChunkId id(long step, int index) {
    return Samples.id(step * 8 + index);
  }

  /** Some are small enough to lie in the tables. */
  private static Bytes content(long step, int index) {
    int length = (step + index) % 4 == 0 ? 700 : 3000 + (int) (step % 13) * 4000;
    return Samples.content(step * 8 + index, length);
  }

  private static Bytes key(long step) {
    return number(step);
  }

  private static Bytes number(long value) {
    return Bytes.of(ByteBuffer.allocate(Long.BYTES).putLong(value).flip());
  }
}
