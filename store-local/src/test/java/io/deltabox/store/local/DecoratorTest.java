package io.deltabox.store.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import io.deltabox.store.Durability;
import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.Space;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreUnavailableException;
import io.deltabox.store.Stores;
import io.deltabox.store.testkit.FaultyHotStore;
import io.deltabox.store.testkit.LeakCheckedHotStore;
import java.net.URI;
import org.junit.jupiter.api.Test;

/** The tools of the contract suites do what tests rely on. */
final class DecoratorTest {
  private final StoreException failure = new StoreUnavailableException("planned");
  private static final Bytes KEY = Bytes.of("k");

  private static HotStore memory() throws StoreException {
    return Stores.openHot(URI.create("memory:decorated"), OpenOptions.create());
  }

  private static RecordBatch batch() {
    return new RecordBatch().put(Space.META, KEY, Bytes.of("v"));
  }

  @Test
  void faults_comeWhenPlanned() throws StoreException {
    FaultyHotStore store = new FaultyHotStore(memory());
    store.plan(FaultyHotStore.Op.COMMIT, 1, FaultyHotStore.When.BEFORE, failure);
    store.plan(FaultyHotStore.Op.COMMIT, 2, FaultyHotStore.When.AFTER, failure);
    assertThatThrownBy(() -> store.records().commit(batch(), Durability.SYNC)).isSameAs(failure);
    assertThat(store.records().get(Space.META, KEY)).isEmpty();
    assertThatThrownBy(() -> store.records().commit(batch(), Durability.SYNC)).isSameAs(failure);
    assertThat(store.records().get(Space.META, KEY)).contains(Bytes.of("v"));
    assertThat(store.calls(FaultyHotStore.Op.COMMIT)).isEqualTo(2);
    store.close();
  }

  @Test
  void faults_thatAreNotMet_failTheTest() throws StoreException {
    FaultyHotStore store = new FaultyHotStore(memory());
    store.plan(FaultyHotStore.Op.READ, 1, FaultyHotStore.When.AFTER, failure);
    assertThatThrownBy(store::close)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("READ");
  }

  @Test
  void cursors_leftOpen_failTheTest() throws StoreException {
    LeakCheckedHotStore store = new LeakCheckedHotStore(memory());
    store.chunks().ids(new ChunkId(0, 0, 0, 0)).close();
    store.chunks().ids(new ChunkId(0, 0, 0, 0));
    assertThatThrownBy(store::close)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("left open");
  }
}
