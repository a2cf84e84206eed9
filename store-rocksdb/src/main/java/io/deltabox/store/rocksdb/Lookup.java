package io.deltabox.store.rocksdb;

import io.deltabox.store.StoreException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/**
 * Looks up many keys at once. The Java binding answers null for a value that could not be read as
 * well as for one that is not there (only damage found by checksum is thrown), and of several it
 * does not say which one failed. So each null is asked for once more alone, where every failure is
 * thrown.
 */
final class Lookup {
  private Lookup() {}

  /**
   * Inside a call.
   *
   * @param what names the key of an index, for messages
   * @return in the order of the keys; null where nothing is
   */
  static List<byte @Nullable []> values(
      RocksDB database,
      Handles handles,
      Family family,
      ReadOptions reading,
      List<byte[]> keys,
      IntFunction<String> what)
      throws StoreException {
    List<byte @Nullable []> values = new ArrayList<>(all(database, handles, family, reading, keys));
    for (int i = 0; i < values.size(); i++) {
      if (values.get(i) == null) {
        try {
          values.set(i, handles.get(database, family, reading, keys.get(i)));
        } catch (RocksDBException e) {
          throw Failures.of(what.apply(i), e);
        }
      }
    }
    return values;
  }

  private static List<byte @Nullable []> all(
      RocksDB database, Handles handles, Family family, ReadOptions reading, List<byte[]> keys) {
    if (keys.size() > 1 && !handles.hasTail()) {
      try {
        return database.multiGetAsList(
            reading, Collections.nCopies(keys.size(), handles.family(family)), keys);
      } catch (RocksDBException e) {
        // Found again below, with the key's name.
      }
    }
    return Collections.nCopies(keys.size(), null);
  }
}
