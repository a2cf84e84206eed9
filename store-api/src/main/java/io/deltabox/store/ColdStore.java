package io.deltabox.store;

import java.util.Set;

/** A store that many machines share. */
public interface ColdStore extends AutoCloseable {
  ObjectStore objects();

  /** The register of a name; it holds nothing until it is set. */
  Register register(ObjectName name);

  Set<Capability> capabilities();

  @Override
  void close() throws StoreException;
}
