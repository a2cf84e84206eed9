package io.deltabox.store;

import java.net.URI;

/**
 * Opens stores of one scheme; found by {@link java.util.ServiceLoader}. Needs a constructor without
 * arguments, which must be cheap: all providers are made to find one.
 */
public interface StoreProvider {
  /** The scheme of its addresses, in lower case: {@code rocksdb} for {@code rocksdb:/var/lib/x}. */
  String scheme();

  /**
   * Opens the hot store of an address.
   *
   * @throws StoreInUseException if another process has it open
   * @throws StoreMissingException if it is not there and is not to be made
   * @throws UnsupportedOperationException if this provider has none
   */
  default HotStore openHot(URI address, OpenOptions options) throws StoreException {
    throw new UnsupportedOperationException("not a hot store: " + address);
  }

  /**
   * Opens the cold store of an address.
   *
   * @throws StoreMissingException if it is not there and is not to be made
   * @throws UnsupportedOperationException if this provider has none
   */
  default ColdStore openCold(URI address, OpenOptions options) throws StoreException {
    throw new UnsupportedOperationException("not a cold store: " + address);
  }
}
