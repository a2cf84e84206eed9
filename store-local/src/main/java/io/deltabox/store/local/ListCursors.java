package io.deltabox.store.local;

import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import io.deltabox.store.ChunkStore;
import io.deltabox.store.ObjectInfo;
import io.deltabox.store.ObjectStore;
import io.deltabox.store.RecordStore;
import io.deltabox.store.StoreException;
import java.util.Map;

/** Cursors over what is in memory already. */
final class ListCursors {
  private ListCursors() {}

  /** How a chunk's length is found, when it is asked for. */
  @FunctionalInterface
  interface Length {
    int of(ChunkId id) throws StoreException;
  }

  static RecordStore.Cursor records(Gate gate, Iterable<Map.Entry<Bytes, Bytes>> records) {
    final class Records extends Walk<Map.Entry<Bytes, Bytes>> implements RecordStore.Cursor {
      Records() {
        super(gate, records.iterator());
      }

      @Override
      public Bytes key() {
        return current().getKey();
      }

      @Override
      public Bytes value() {
        return current().getValue();
      }
    }
    return new Records();
  }

  static ChunkStore.Cursor ids(Gate gate, Iterable<ChunkId> ids, Length length) {
    final class Ids extends Walk<ChunkId> implements ChunkStore.Cursor {
      Ids() {
        super(gate, ids.iterator());
      }

      @Override
      public ChunkId id() {
        return current();
      }

      @Override
      public int bytes() throws StoreException {
        return gate.pass(() -> length.of(current()));
      }
    }
    return new Ids();
  }

  static ObjectStore.Cursor objects(Gate gate, Iterable<ObjectInfo> objects) {
    final class Objects extends Walk<ObjectInfo> implements ObjectStore.Cursor {
      Objects() {
        super(gate, objects.iterator());
      }

      @Override
      public ObjectInfo info() {
        return current();
      }
    }
    return new Objects();
  }
}
