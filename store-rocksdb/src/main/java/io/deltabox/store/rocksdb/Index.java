package io.deltabox.store.rocksdb;

import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.StoreException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.rocksdb.AbstractWriteBatch;
import org.rocksdb.ReadOptions;
import org.rocksdb.ReadTier;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/**
 * What the database holds: where chunks lie, the records, how much of each segment is in use, and
 * up to where of the log all that is. It is changed in steps, each whole or not at all, and written
 * out without a log of its own; what it has lost after a crash is read from ours again.
 *
 * <p>Used inside calls of {@link Handles}; changed by one thread at a time.
 */
final class Index {
  private static final byte[] MARK = {'n'};

  private final Handles handles;

  /** How full the segments are; guarded by itself. */
  private final TreeMap<Integer, Room> rooms = new TreeMap<>();

  /**
   * @param live bytes of entries whose chunks lie there
   * @param end length; 0 while the segment may grow
   */
  record Room(long live, long end) {
    static Room of(byte[] value) {
      ByteBuffer buffer = ByteBuffer.wrap(value);
      return new Room(buffer.getLong(), buffer.getLong());
    }

    byte[] toArray() {
      return ByteBuffer.allocate(2 * Long.BYTES).putLong(live).putLong(end).array();
    }
  }

  private Index(Handles handles) {
    this.handles = handles;
  }

  static Index load(Handles handles) throws StoreException {
    Index index = new Index(handles);
    try (RangeWalk walk =
        RangeWalk.open(handles, () -> "read segments failed", Family.SEGMENT, new byte[0], null)) {
      while (walk.next()) {
        index.rooms.put(ByteBuffer.wrap(walk.key()).getInt(), Room.of(walk.value()));
      }
    }
    return index;
  }

  NavigableMap<Integer, Room> rooms() {
    synchronized (rooms) {
      return new TreeMap<>(rooms);
    }
  }

  Mark mark(RocksDB database) throws RocksDBException {
    byte[] found = handles.get(database, Family.MARK, handles.reading(), MARK);
    return found == null ? Mark.NONE : Mark.of(found);
  }

  /** Of what is written out: the log behind it is all that is needed after a crash. */
  Mark persisted(RocksDB database) throws RocksDBException {
    try (ReadOptions reading = new ReadOptions().setReadTier(ReadTier.PERSISTED_TIER)) {
      byte[] found = database.get(handles.family(Family.MARK), reading, MARK);
      return found == null ? Mark.NONE : Mark.of(found);
    }
  }

  /** Null for chunks that are not there. */
  List<@Nullable Location> locations(RocksDB database, List<ChunkId> ids) throws StoreException {
    return Lookup.values(
            database,
            handles,
            Family.PLACE,
            handles.reading(),
            ids.stream().map(ChunkId::toArray).toList(),
            i -> "look up chunk failed: id=" + ids.get(i))
        .stream()
        .<@Nullable Location>map(value -> value == null ? null : Location.of(value))
        .toList();
  }

  Update update() throws RocksDBException {
    return new Update();
  }

  /** One step. */
  final class Update implements AutoCloseable {
    private final AbstractWriteBatch batch = handles.newBatch();
    private final Map<Integer, Long> grown = new HashMap<>();
    private final Map<Integer, Long> ended = new HashMap<>();
    private @Nullable Integer forgotten;

    /**
     * @param old where it lay before, null for nowhere
     */
    void put(ChunkId id, Location location, @Nullable Location old) throws RocksDBException {
      batch.put(handles.family(Family.PLACE), id.toArray(), location.toArray());
      grown.merge(location.place().segment(), location.entryBytes(), Long::sum);
      if (old != null) {
        leave(old);
      }
    }

    void remove(ChunkId id, Location old) throws RocksDBException {
      batch.delete(handles.family(Family.PLACE), id.toArray());
      leave(old);
    }

    private void leave(Location old) {
      grown.merge(old.place().segment(), -old.entryBytes(), Long::sum);
    }

    void change(List<RecordBatch.Change> changes) throws RocksDBException {
      for (RecordBatch.Change change : changes) {
        byte[] key = change.key().toArray();
        Bytes value = change.value();
        if (value == null) {
          batch.delete(handles.family(Family.of(change.space())), key);
        } else {
          batch.put(handles.family(Family.of(change.space())), key, value.toArray());
        }
      }
    }

    /** Nothing more comes into this segment. */
    void ended(int segment, long end) {
      if (segment > 0) {
        ended.put(segment, end);
      }
    }

    /** The segment will be removed. */
    void forget(int segment) {
      forgotten = segment;
    }

    void apply(RocksDB database, Mark mark) throws RocksDBException {
      synchronized (rooms) {
        NavigableMap<Integer, Room> after = roomsAfter();
        for (Map.Entry<Integer, Room> room : after.entrySet()) {
          batch.put(handles.family(Family.SEGMENT), key(room.getKey()), room.getValue().toArray());
        }
        if (forgotten != null) {
          batch.delete(handles.family(Family.SEGMENT), key(forgotten));
        }
        batch.put(handles.family(Family.MARK), MARK, mark.toArray());
        if (batch instanceof WriteBatch changes) {
          database.write(handles.writing(), changes);
        }
        rooms.putAll(after);
        if (forgotten != null) {
          rooms.remove(forgotten);
        }
      }
    }

    private NavigableMap<Integer, Room> roomsAfter() {
      TreeMap<Integer, Room> after = new TreeMap<>();
      for (Map.Entry<Integer, Long> one : grown.entrySet()) {
        Room room = rooms.getOrDefault(one.getKey(), new Room(0, 0));
        after.put(one.getKey(), new Room(room.live() + one.getValue(), room.end()));
      }
      for (Map.Entry<Integer, Long> one : ended.entrySet()) {
        Room room =
            after.getOrDefault(one.getKey(), rooms.getOrDefault(one.getKey(), new Room(0, 0)));
        after.put(one.getKey(), new Room(room.live(), one.getValue()));
      }
      return after;
    }

    private byte[] key(int segment) {
      return ByteBuffer.allocate(Integer.BYTES).putInt(segment).array();
    }

    @Override
    public void close() {
      handles.doneWith(batch);
    }
  }
}
