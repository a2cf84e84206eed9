package io.deltabox.store.testkit;

import io.deltabox.store.ChunkStore;
import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.RecordStore;
import io.deltabox.store.StoreException;
import io.deltabox.store.Stores;
import java.net.URI;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;

/** An empty store for each test, opened by its address as users do. */
@TestInstance(TestInstance.Lifecycle.PER_METHOD)
public abstract class HotStoreFixture {
  private URI address = URI.create("none:none");
  private LeakCheckedHotStore store;

  protected HotStoreFixture() {
    this.store = new LeakCheckedHotStore();
  }

  /** An address under which there is no store yet; another one each time. */
  protected abstract URI newAddress() throws Exception;

  @BeforeEach
  final void openStore() throws Exception {
    address = newAddress();
    store = new LeakCheckedHotStore(Stores.openHot(address, OpenOptions.create()));
  }

  @AfterEach
  final void closeStore() throws StoreException {
    store.close();
  }

  protected final URI address() {
    return address;
  }

  protected final HotStore store() {
    return store;
  }

  protected final ChunkStore chunks() {
    return store.chunks();
  }

  protected final RecordStore records() {
    return store.records();
  }

  /** Closes the store and opens it again. */
  protected final void reopen(OpenOptions options) throws StoreException {
    store.close();
    store = new LeakCheckedHotStore(Stores.openHot(address, options));
  }
}
