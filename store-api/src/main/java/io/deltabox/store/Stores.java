package io.deltabox.store;

import java.net.URI;
import java.util.ServiceLoader;
import java.util.TreeSet;

/** Opens stores by their addresses, with the providers that are on the class path. */
public final class Stores {
  private Stores() {}

  /**
   * Opens a hot store.
   *
   * @throws IllegalArgumentException if no provider knows the address; the message lists the
   *     schemes that are known
   * @throws StoreException as {@link StoreProvider#openHot}
   */
  public static HotStore openHot(URI address, OpenOptions options) throws StoreException {
    return provider(address).openHot(address, options);
  }

  /**
   * Opens a cold store.
   *
   * @throws IllegalArgumentException if no provider knows the address
   * @throws StoreException as {@link StoreProvider#openCold}
   */
  public static ColdStore openCold(URI address, OpenOptions options) throws StoreException {
    return provider(address).openCold(address, options);
  }

  private static StoreProvider provider(URI address) {
    TreeSet<String> known = new TreeSet<>();
    for (StoreProvider provider : ServiceLoader.load(StoreProvider.class)) {
      if (provider.scheme().equalsIgnoreCase(address.getScheme())) {
        return provider;
      }
      known.add(provider.scheme() + ":");
    }
    throw new IllegalArgumentException(
        "no store provider for this address: " + address + " known=" + known);
  }
}
