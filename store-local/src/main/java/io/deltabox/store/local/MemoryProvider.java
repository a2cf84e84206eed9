package io.deltabox.store.local;

import io.deltabox.store.ColdStore;
import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreMissingException;
import io.deltabox.store.StoreProvider;
import java.net.URI;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Stores that live in the memory of this process: {@code memory:NAME}. A cold store is shared by
 * all who open its name, and stays until the process ends; a hot store ends when it is closed.
 */
public final class MemoryProvider implements StoreProvider {
  private static final ConcurrentHashMap<String, MemoryObjects> SHARED = new ConcurrentHashMap<>();

  @Override
  public String scheme() {
    return "memory";
  }

  @Override
  public HotStore openHot(URI address, OpenOptions options) throws StoreException {
    if (options.access() != OpenOptions.Access.CREATE) {
      throw new StoreMissingException(
          "a hot store in memory ends when it is closed, there is none: " + address);
    }
    return new MemoryHotStore(address.toString());
  }

  @Override
  public ColdStore openCold(URI address, OpenOptions options) throws StoreException {
    String name = address.getSchemeSpecificPart();
    MemoryObjects objects =
        options.access() == OpenOptions.Access.CREATE
            ? SHARED.computeIfAbsent(name, n -> new MemoryObjects())
            : SHARED.get(name);
    if (objects == null) {
      throw new StoreMissingException("no cold store of this name in memory: " + address);
    }
    return new MemoryColdStore(objects, new Gate(address.toString(), options.readOnly()));
  }
}
