package io.deltabox.store.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.store.Bytes;
import io.deltabox.store.Capability;
import io.deltabox.store.ChunkId;
import io.deltabox.store.ChunkStore;
import io.deltabox.store.Durability;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.RecordRange;
import io.deltabox.store.RecordStore;
import io.deltabox.store.Space;
import io.deltabox.store.StoreClosedException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreInUseException;
import io.deltabox.store.StoreMissingException;
import io.deltabox.store.StoreReadOnlyException;
import io.deltabox.store.Stores;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/**
 * What {@link io.deltabox.store.HotStore} says of the store as a whole: its life and its promises.
 */
public abstract class HotStoreContract extends HotStoreFixture {
  private static final Bytes KEY = Bytes.of("k");
  private static final ChunkId FIRST = new ChunkId(0, 0, 0, 0);

  private void fill() throws StoreException {
    chunks().write(List.of(Samples.chunk(Samples.id(1), Samples.content(1, 10_000))));
    RecordBatch batch = new RecordBatch().put(Space.MANIFEST, KEY, Bytes.of("v"));
    records().commit(batch, Durability.SYNC);
  }

  private void assertFilled() throws StoreException {
    assertThat(Samples.read(chunks(), List.of(Samples.id(1))))
        .isEqualTo(Map.of(Samples.id(1), Samples.content(1, 10_000)));
    assertThat(records().get(Space.MANIFEST, KEY)).contains(Bytes.of("v"));
  }

  private void requireDurable() {
    Assumptions.assumeTrue(
        store().capabilities().contains(Capability.DURABLE), "the store promises nothing");
  }

  @Test
  public void open_again_findsEverything() throws StoreException {
    requireDurable();
    fill();
    reopen(OpenOptions.write());
    assertFilled();
    chunks().delete(List.of(Samples.id(1)));
    records().commit(new RecordBatch().delete(Space.MANIFEST, KEY), Durability.BUFFERED);
    reopen(OpenOptions.create());
    assertThat(Samples.ids(chunks(), FIRST)).isEmpty();
    assertThat(Samples.records(store())).isEmpty();
  }

  @Test
  public void open_forReading_refusesEveryChange() throws StoreException {
    requireDurable();
    fill();
    reopen(OpenOptions.read());
    assertFilled();
    assertThatThrownBy(() -> chunks().write(List.of(Samples.chunk(Samples.id(2), Bytes.of("x")))))
        .isInstanceOf(StoreReadOnlyException.class);
    assertThatThrownBy(() -> chunks().delete(List.of(Samples.id(1))))
        .isInstanceOf(StoreReadOnlyException.class);
    assertThatThrownBy(
            () -> records().commit(new RecordBatch().delete(Space.MANIFEST, KEY), Durability.SYNC))
        .isInstanceOf(StoreReadOnlyException.class);
    assertFilled();
  }

  @Test
  public void open_ofNothing_isRefusedUnlessToldToMakeIt() throws Exception {
    var nowhere = newAddress();
    assertThatThrownBy(() -> Stores.openHot(nowhere, OpenOptions.write()))
        .isInstanceOf(StoreMissingException.class)
        .hasMessageContaining(nowhere.getSchemeSpecificPart());
    assertThatThrownBy(() -> Stores.openHot(nowhere, OpenOptions.read()))
        .isInstanceOf(StoreMissingException.class);
  }

  @Test
  public void open_twice_isRefused() throws StoreException {
    requireDurable();
    fill();
    assertThatThrownBy(() -> Stores.openHot(address(), OpenOptions.write()))
        .isInstanceOf(StoreInUseException.class);
    assertFilled();
  }

  @Test
  public void verify_ofSoundStore_isQuiet() throws StoreException {
    fill();
    store().verify();
    assertThat(store().figures()).containsKeys("memory_bytes", "disk_bytes");
  }

  @Test
  public void calls_afterClose_areRefused() throws StoreException {
    fill();
    ChunkStore chunks = chunks();
    RecordStore records = records();
    store().close();
    store().close();
    assertThatThrownBy(() -> chunks.has(List.of(Samples.id(1))))
        .isInstanceOf(StoreClosedException.class);
    assertThatThrownBy(() -> chunks.ids(FIRST)).isInstanceOf(StoreClosedException.class);
    assertThatThrownBy(() -> records.get(Space.META, KEY)).isInstanceOf(StoreClosedException.class);
    assertThatThrownBy(() -> records.scan(Space.META, RecordRange.ALL))
        .isInstanceOf(StoreClosedException.class);
    assertThatThrownBy(() -> records.commit(new RecordBatch(), Durability.SYNC))
        .isInstanceOf(StoreClosedException.class);
    assertThatThrownBy(() -> store().figures()).isInstanceOf(StoreClosedException.class);
  }

  @Test
  public void close_underOpenCursors_endsThem() throws Exception {
    fill();
    var other = Stores.openHot(newAddress(), OpenOptions.create());
    other.chunks().write(List.of(Samples.chunk(Samples.id(1), Bytes.of("x"))));
    ChunkStore.Cursor ids = other.chunks().ids(FIRST);
    RecordStore.Cursor records = other.records().scan(Space.META, RecordRange.ALL);
    other.close();
    assertThatThrownBy(ids::next).isInstanceOf(StoreClosedException.class);
    assertThatThrownBy(records::next).isInstanceOf(StoreClosedException.class);
    ids.close();
    records.close();
  }

  @Test
  public void close_whileManyThreadsRead_ends() throws Exception {
    for (long i = 0; i < 50; i++) {
      chunks().write(List.of(Samples.chunk(Samples.id(i), Samples.content(i, 3000))));
    }
    int threads = 8;
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      CountDownLatch reading = new CountDownLatch(threads);
      List<Future<Boolean>> all = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        Callable<Boolean> reader = () -> readUntilClosed(reading);
        all.add(pool.submit(reader));
      }
      reading.await();
      store().close();
      for (Future<Boolean> one : all) {
        assertThat(one.get()).isTrue();
      }
    } finally {
      pool.shutdownNow();
    }
  }

  private boolean readUntilClosed(CountDownLatch reading) throws StoreException {
    for (long i = 0; ; i++) {
      ChunkId id = Samples.id(i % 50);
      try {
        if (!Samples.content(i % 50, 3000).equals(Samples.read(chunks(), List.of(id)).get(id))) {
          return false;
        }
      } catch (StoreClosedException e) {
        return true;
      }
      if (i == 20) {
        reading.countDown();
      }
    }
  }
}
