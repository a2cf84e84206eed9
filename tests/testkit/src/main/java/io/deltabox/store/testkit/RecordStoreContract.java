package io.deltabox.store.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.store.Bytes;
import io.deltabox.store.CommitResult;
import io.deltabox.store.Durability;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.RecordRange;
import io.deltabox.store.RecordStore;
import io.deltabox.store.Space;
import io.deltabox.store.StoreException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What {@link RecordStore} says. */
public abstract class RecordStoreContract extends HotStoreFixture {
  private static Bytes key(String text) {
    return Bytes.of(text);
  }

  private void put(Space space, String key, String value) throws StoreException {
    RecordBatch batch = new RecordBatch().put(space, key(key), Bytes.of(value));
    assertThat(records().commit(batch, Durability.BUFFERED).committed()).isTrue();
  }

  @ParameterizedTest
  @EnumSource(Space.class)
  public void get_afterCommit_givesTheValue(Space space) throws StoreException {
    put(space, "k", "v");
    assertThat(records().get(space, key("k"))).contains(Bytes.of("v"));
    for (Space other : Space.values()) {
      if (other != space) {
        assertThat(records().get(other, key("k"))).isEmpty();
      }
    }
  }

  @Test
  public void commit_ofLongAndEmptyValues_keepsThem() throws StoreException {
    Bytes large = Samples.content(1, 20 << 20);
    Bytes longKey = Samples.content(2, RecordStore.KEY_BYTES_MAX);
    records()
        .commit(
            new RecordBatch()
                .put(Space.MANIFEST, key("large"), large)
                .put(Space.MANIFEST, longKey, Bytes.EMPTY),
            Durability.SYNC);
    assertThat(records().get(Space.MANIFEST, key("large"))).contains(large);
    assertThat(records().get(Space.MANIFEST, longKey)).contains(Bytes.EMPTY);
    assertThat(records().getAll(Space.MANIFEST, List.of(longKey, key("none"))))
        .isEqualTo(Map.of(longKey, Bytes.EMPTY));
  }

  @Test
  public void commit_withChangesOfOneKey_keepsTheLast() throws StoreException {
    records()
        .commit(
            new RecordBatch()
                .put(Space.REF, key("a"), Bytes.of("1"))
                .delete(Space.REF, key("a"))
                .put(Space.REF, key("a"), Bytes.of("2"))
                .put(Space.REF, key("b"), Bytes.of("1"))
                .delete(Space.REF, key("b")),
            Durability.BUFFERED);
    assertThat(Samples.scan(records(), Space.REF, RecordRange.ALL))
        .isEqualTo(Map.of(key("a"), Bytes.of("2")));
  }

  @Test
  public void scan_ofRanges_comesInUnsignedOrder() throws StoreException {
    List<Bytes> keys = new ArrayList<>();
    RecordBatch batch = new RecordBatch();
    for (int first : new int[] {0, 1, 0x7f, 0x80, 0xff}) {
      for (int second : new int[] {0, 0x80, 0xff}) {
        Bytes key = Bytes.of(new byte[] {(byte) first, (byte) second});
        keys.add(key);
        batch.put(Space.LOC, key, Bytes.of(key.toString()));
      }
      Bytes one = Bytes.of(new byte[] {(byte) first});
      keys.add(one);
      batch.put(Space.LOC, one, Bytes.of(one.toString()));
    }
    batch.put(Space.MANIFEST, key("before"), Bytes.EMPTY).put(Space.PACK, key("x"), Bytes.EMPTY);
    records().commit(batch, Durability.BUFFERED);
    keys.sort(null);
    assertThat(Samples.scan(records(), Space.LOC, RecordRange.ALL).keySet())
        .containsExactlyElementsOf(keys);
    for (RecordRange range :
        List.of(
            RecordRange.prefix(Bytes.of(new byte[] {(byte) 0xff})),
            RecordRange.prefix(Bytes.of(new byte[] {1})),
            new RecordRange(keys.get(3), keys.get(7)),
            new RecordRange(keys.get(7), keys.get(3)),
            new RecordRange(key("zz"), null))) {
      assertThat(Samples.scan(records(), Space.LOC, range).keySet())
          .containsExactlyElementsOf(keys.stream().filter(range::contains).toList());
    }
  }

  @Test
  public void scan_whileCommitsGoOn_seesWhatWasThere() throws StoreException {
    for (int i = 0; i < 100; i++) {
      put(Space.JOURNAL, "k" + (1000 + i), "old");
    }
    try (RecordStore.Cursor cursor = records().scan(Space.JOURNAL, RecordRange.ALL)) {
      RecordBatch batch = new RecordBatch();
      for (int i = 0; i < 200; i++) {
        batch.put(Space.JOURNAL, key("k" + (1000 + i)), Bytes.of("new"));
      }
      records().commit(batch.delete(Space.JOURNAL, key("k1050")), Durability.BUFFERED);
      int count = 0;
      while (cursor.next()) {
        assertThat(cursor.value()).isEqualTo(Bytes.of("old"));
        count++;
      }
      assertThat(count).isEqualTo(100);
      assertThat(cursor.next()).isFalse();
    }
  }

  @Test
  public void commit_whoseConditionFails_changesNothing() throws StoreException {
    put(Space.REF, "main", "one");
    RecordBatch batch =
        new RecordBatch()
            .expectAbsent(Space.META, key("main"))
            .expect(Space.REF, key("main"), Bytes.of("two"))
            .put(Space.REF, key("other"), Bytes.of("x"))
            .put(Space.REF, key("main"), Bytes.of("three"));
    CommitResult result = records().commit(batch, Durability.SYNC);
    assertThat(result.committed()).isFalse();
    CommitResult.Conflict conflict = (CommitResult.Conflict) result;
    assertThat(conflict.condition().key()).isEqualTo(key("main"));
    assertThat(conflict.condition().space()).isEqualTo(Space.REF);
    assertThat(conflict.found()).contains(Bytes.of("one"));
    assertThat(Samples.scan(records(), Space.REF, RecordRange.ALL))
        .isEqualTo(Map.of(key("main"), Bytes.of("one")));
    result =
        records()
            .commit(new RecordBatch().expectAbsent(Space.REF, key("main")), Durability.BUFFERED);
    assertThat(((CommitResult.Conflict) result).found()).contains(Bytes.of("one"));
    result =
        records()
            .commit(
                new RecordBatch().expect(Space.REF, key("none"), Bytes.EMPTY), Durability.BUFFERED);
    assertThat(((CommitResult.Conflict) result).found()).isEmpty();
  }

  @Test
  public void commit_whoseConditionsHold_isJudgedBeforeItsOwnChanges() throws StoreException {
    put(Space.REF, "main", "one");
    RecordBatch batch =
        new RecordBatch()
            .put(Space.REF, key("main"), Bytes.of("two"))
            .put(Space.REF, key("new"), Bytes.of("x"))
            .expect(Space.REF, key("main"), Bytes.of("one"))
            .expectAbsent(Space.REF, key("new"));
    assertThat(records().commit(batch, Durability.BUFFERED).committed()).isTrue();
    assertThat(records().get(Space.REF, key("main"))).contains(Bytes.of("two"));
  }

  /** A counter that many threads raise on the ground of what they read loses no step. */
  @Test
  public void commit_byManyThreads_losesNoStep() throws Exception {
    int threads = 4;
    int steps = 200;
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        Callable<Integer> raise = () -> raise(steps);
        all.add(pool.submit(raise));
      }
      for (Future<?> one : all) {
        one.get();
      }
    } finally {
      pool.shutdownNow();
    }
    assertThat(records().get(Space.META, key("counter")))
        .contains(Bytes.of(Integer.toString(threads * steps)));
  }

  private int raise(int steps) throws StoreException {
    int lost = 0;
    for (int done = 0; done < steps; ) {
      Optional<Bytes> now = records().get(Space.META, key("counter"));
      int count = now.map(value -> Integer.parseInt(value.text())).orElse(0);
      RecordBatch batch =
          new RecordBatch().put(Space.META, key("counter"), Bytes.of(Integer.toString(count + 1)));
      if (now.isPresent()) {
        batch.expect(Space.META, key("counter"), now.get());
      } else {
        batch.expectAbsent(Space.META, key("counter"));
      }
      if (records().commit(batch, Durability.BUFFERED).committed()) {
        done++;
      } else {
        lost++;
      }
    }
    return lost;
  }

  /** Two records that are always changed together are never seen apart. */
  @Test
  public void getAll_whileCommitsGoOn_seesWholeBatches() throws Exception {
    ExecutorService pool = Executors.newSingleThreadExecutor();
    try {
      put(Space.REF, "a", "0");
      put(Space.REF, "b", "0");
      Callable<Integer> change =
          () -> {
            for (int i = 1; i <= 2000; i++) {
              Bytes value = Bytes.of(Integer.toString(i));
              records()
                  .commit(
                      new RecordBatch()
                          .put(Space.REF, key("a"), value)
                          .put(Space.REF, key("b"), value),
                      Durability.BUFFERED);
            }
            return 0;
          };
      Future<?> done = pool.submit(change);
      while (!done.isDone()) {
        Map<Bytes, Bytes> both = records().getAll(Space.REF, List.of(key("a"), key("b")));
        assertThat(both.get(key("a"))).isEqualTo(both.get(key("b")));
        Map<Bytes, Bytes> scanned = Samples.scan(records(), Space.REF, RecordRange.ALL);
        assertThat(scanned.get(key("a"))).isEqualTo(scanned.get(key("b")));
      }
      done.get();
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  public void batch_withImpossibleKeys_isRefused() {
    RecordBatch batch = new RecordBatch();
    Bytes tooLong = Samples.content(1, RecordStore.KEY_BYTES_MAX + 1);
    assertThatThrownBy(() -> batch.put(Space.META, Bytes.EMPTY, Bytes.EMPTY))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> batch.delete(Space.META, tooLong))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(batch.changes()).isEmpty();
  }
}
