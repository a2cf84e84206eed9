package io.deltabox.store.rocksdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import io.deltabox.store.ChunkStore;
import io.deltabox.store.Durability;
import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.RecordRange;
import io.deltabox.store.RecordStore;
import io.deltabox.store.Space;
import io.deltabox.store.StoreClosedException;
import io.deltabox.store.StoreException;
import io.deltabox.store.testkit.Samples;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nothing that callers do reaches what is freed; memory stays within its bound. */
final class RocksLifeTest {
  private static final ChunkId FIRST = new ChunkId(0, 0, 0, 0);

  @TempDir Path scratch;

  /** One call of some kind. */
  private interface Use {
    void run(HotStore store, int round) throws StoreException;
  }

  private static final List<Use> USES =
      List.of(
          (store, round) ->
              store.chunks().write(List.of(Samples.chunk(Samples.id(round), TestStore.content(3)))),
          (store, round) -> store.chunks().delete(List.of(Samples.id(round))),
          (store, round) ->
              store
                  .records()
                  .commit(
                      new RecordBatch().put(Space.REF, TestStore.key(round), Bytes.EMPTY),
                      Durability.SYNC),
          (store, round) -> walk(store),
          (store, round) -> store.figures(),
          (store, round) -> store.verify(),
          (store, round) -> Samples.read(store.chunks(), List.of(Samples.id(1), Samples.id(-9))));

  private static void walk(HotStore store) throws StoreException {
    try (RecordStore.Cursor records = store.records().scan(Space.MANIFEST, RecordRange.ALL);
        ChunkStore.Cursor ids = store.chunks().ids(FIRST)) {
      while (records.next() && ids.next()) {
        assertThat(ids.bytes()).isPositive();
      }
    }
  }

  @Test
  void close_whileCallsOfEveryKindRun_endsThemAll() throws Exception {
    int rounds = Samples.count(3, 100);
    for (int round = 0; round < rounds; round++) {
      HotStore store = TestStore.open(scratch.resolve("s" + round), OpenOptions.create());
      TestStore.fill(store);
      ExecutorService pool = Executors.newFixedThreadPool(USES.size());
      try {
        CountDownLatch running = new CountDownLatch(USES.size());
        List<Future<Boolean>> all = new ArrayList<>();
        for (Use use : USES) {
          Callable<Boolean> until = () -> untilClosed(store, use, running);
          all.add(pool.submit(until));
        }
        running.await();
        store.close();
        for (Future<Boolean> one : all) {
          assertThat(one.get()).isTrue();
        }
      } finally {
        pool.shutdownNow();
      }
    }
  }

  private static boolean untilClosed(HotStore store, Use use, CountDownLatch running)
      throws StoreException {
    for (int i = 0; ; i++) {
      try {
        use.run(store, 1000 + i);
      } catch (StoreClosedException e) {
        return true;
      }
      if (i == 1) {
        running.countDown();
      }
    }
  }

  @Test
  void cursor_afterItsOwnClose_isRefused() throws Exception {
    try (HotStore store = TestStore.open(scratch.resolve("s"), OpenOptions.create())) {
      TestStore.fill(store);
      RecordStore.Cursor cursor = store.records().scan(Space.MANIFEST, RecordRange.ALL);
      assertThatThrownBy(cursor::key).isInstanceOf(IllegalStateException.class);
      assertThat(cursor.next()).isTrue();
      cursor.close();
      cursor.close();
      assertThatThrownBy(cursor::next).isInstanceOf(StoreClosedException.class);
      assertThatThrownBy(cursor::key).isInstanceOf(IllegalStateException.class);
    }
  }

  /** Who uses a cursor may be between a step and a look when another thread closes the store. */
  @Test
  void cursor_whoseStoreIsClosed_stillTellsWhereItStands() throws Exception {
    HotStore store = TestStore.open(scratch.resolve("s"), OpenOptions.create());
    TestStore.fill(store);
    ChunkStore.Cursor ids = store.chunks().ids(FIRST);
    RecordStore.Cursor records = store.records().scan(Space.MANIFEST, RecordRange.ALL);
    assertThat(ids.next() && records.next()).isTrue();
    store.close();
    assertThat(ids.id()).isEqualTo(Samples.id(0));
    assertThat(ids.bytes()).isEqualTo(TestStore.content(0).length());
    assertThat(records.key()).isEqualTo(TestStore.key(0));
    assertThat(records.value()).isEqualTo(TestStore.value(0));
    assertThatThrownBy(ids::next).isInstanceOf(StoreClosedException.class);
    ids.close();
    records.close();
    assertThatThrownBy(ids::id).isInstanceOf(IllegalStateException.class);
  }

  /** The receiver is called from outside of the gate, so it may even close the store. */
  @Test
  void close_byTheReceiverOfARead_ends() throws Exception {
    HotStore store = TestStore.open(scratch.resolve("s"), OpenOptions.create());
    TestStore.fill(store);
    List<ChunkId> received = new ArrayList<>();
    store
        .chunks()
        .read(
            List.of(Samples.id(1), Samples.id(2)),
            (id, bytes) -> {
              store.close();
              assertThat(Bytes.of(bytes).length()).isPositive();
              received.add(id);
            });
    assertThat(received).hasSize(2);
  }

  /** 32 MiB through a store that may use 8: what it holds stays near the bound. */
  @Test
  void figures_afterMuchWasWritten_stayWithinTheMemoryGiven() throws Exception {
    long bound = 8 << 20;
    OpenOptions options = new OpenOptions(OpenOptions.Access.CREATE, bound);
    try (HotStore store = TestStore.open(scratch.resolve("s"), options)) {
      long most = 0;
      for (int i = 0; i < 128; i++) {
        store.chunks().write(List.of(Samples.chunk(Samples.id(i), Samples.content(i, 256 << 10))));
        most = Math.max(most, store.figures().getOrDefault("memory_bytes", -1L));
      }
      store.verify();
      Map<String, Long> figures = store.figures();
      System.out.println("FIGURES " + figures + " most memory_bytes=" + most);
      assertThat(most).isBetween(1L, 2 * bound);
      assertThat(figures.get("chunks")).isEqualTo(128);
      assertThat(figures.get("segment_bytes")).isGreaterThanOrEqualTo(32 << 20);
      assertThat(figures.get("disk_bytes")).isGreaterThanOrEqualTo(figures.get("segment_bytes"));
      assertThat(figures.get("background_errors")).isZero();
    }
  }

  /** Syncs are shared, and each of many commits is durable when it returns. */
  @Test
  void commit_syncedByManyThreads_isDurableForEach() throws Exception {
    Path directory = scratch.resolve("s");
    int threads = 8;
    int each = 50;
    try (HotStore store = TestStore.open(directory, OpenOptions.create())) {
      ExecutorService pool = Executors.newFixedThreadPool(threads);
      try {
        List<Future<Long>> all = new ArrayList<>();
        for (int thread = 0; thread < threads; thread++) {
          int first = thread * each;
          Callable<Long> some = () -> commitSome(store, directory, first, each);
          all.add(pool.submit(some));
        }
        for (Future<Long> one : all) {
          assertThat(one.get()).isPositive();
        }
      } finally {
        pool.shutdownNow();
      }
      assertThat(Samples.scan(store.records(), Space.REF, RecordRange.ALL)).hasSize(threads * each);
    }
  }

  /** The watermark has reached each commit before it returns, so it rises with every one. */
  private static long commitSome(HotStore store, Path directory, int first, int count)
      throws StoreException {
    long before = 0;
    for (int i = first; i < first + count; i++) {
      RecordBatch batch = new RecordBatch().put(Space.REF, TestStore.key(i), Bytes.EMPTY);
      store.records().commit(batch, Durability.SYNC);
      long now = Watermark.read(directory.resolve("durable")).orElse(Mark.NONE).number();
      assertThat(now).isGreaterThan(before);
      before = now;
    }
    return before;
  }
}
