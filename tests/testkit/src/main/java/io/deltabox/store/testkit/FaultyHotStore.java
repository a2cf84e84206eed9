package io.deltabox.store.testkit;

import io.deltabox.store.Bytes;
import io.deltabox.store.Capability;
import io.deltabox.store.Chunk;
import io.deltabox.store.ChunkId;
import io.deltabox.store.ChunkStore;
import io.deltabox.store.CommitResult;
import io.deltabox.store.Durability;
import io.deltabox.store.HotStore;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.RecordRange;
import io.deltabox.store.RecordStore;
import io.deltabox.store.Space;
import io.deltabox.store.StoreException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A store whose calls fail as planned, before they have done anything or after. A fault that was
 * planned and not met by the end fails the test: it tested nothing.
 */
public final class FaultyHotStore implements HotStore {
  /** A call that can fail. */
  public enum Op {
    WRITE,
    READ,
    HAS,
    DELETE,
    IDS,
    GET,
    SCAN,
    COMMIT
  }

  /** When a call fails. */
  public enum When {
    /** Nothing was done. */
    BEFORE,
    /** All was done, and the caller does not know. */
    AFTER
  }

  private static final class Fault {
    private final Op op;
    private final When when;
    private final StoreException failure;
    private int callsUntil;
    private boolean hit;

    Fault(Op op, int call, When when, StoreException failure) {
      this.op = op;
      this.callsUntil = call;
      this.when = when;
      this.failure = failure;
    }
  }

  /** The call that may fail. */
  private interface Call<T> {
    T run() throws StoreException;
  }

  private final HotStore inner;
  private final List<Fault> faults = new ArrayList<>();
  private final Map<Op, Integer> calls = new EnumMap<>(Op.class);

  /**
   * @param inner taken over
   */
  public FaultyHotStore(HotStore inner) {
    this.inner = inner;
  }

  /**
   * Plans a fault.
   *
   * @param call which call of this kind from now on fails, from 1
   */
  public synchronized FaultyHotStore plan(Op op, int call, When when, StoreException failure) {
    faults.add(new Fault(op, call, when, failure));
    return this;
  }

  /** How often something was called. */
  public synchronized int calls(Op op) {
    return calls.getOrDefault(op, 0);
  }

  private synchronized List<Fault> due(Op op) {
    calls.merge(op, 1, Integer::sum);
    List<Fault> due = new ArrayList<>();
    for (Fault fault : faults) {
      if (fault.op == op && !fault.hit && --fault.callsUntil == 0) {
        fault.hit = true;
        due.add(fault);
      }
    }
    return due;
  }

  private <T> T call(Op op, Call<T> call) throws StoreException {
    List<Fault> due = due(op);
    for (Fault fault : due) {
      if (fault.when == When.BEFORE) {
        throw fault.failure;
      }
    }
    T result = call.run();
    for (Fault fault : due) {
      throw fault.failure;
    }
    return result;
  }

  @Override
  public ChunkStore chunks() {
    return new Chunks();
  }

  @Override
  public RecordStore records() {
    return new Records();
  }

  @Override
  public Set<Capability> capabilities() {
    return inner.capabilities();
  }

  @Override
  public Map<String, Long> figures() throws StoreException {
    return inner.figures();
  }

  @Override
  public void verify() throws StoreException {
    inner.verify();
  }

  @Override
  public void close() throws StoreException {
    inner.close();
    synchronized (this) {
      for (Fault fault : faults) {
        if (!fault.hit) {
          throw new AssertionError("a planned fault was not met: " + fault.op + " " + fault.when);
        }
      }
    }
  }

  private final class Chunks implements ChunkStore {
    @Override
    public void write(Collection<Chunk> chunks) throws StoreException {
      call(
          Op.WRITE,
          () -> {
            inner.chunks().write(chunks);
            return true;
          });
    }

    @Override
    public Set<ChunkId> read(Collection<ChunkId> ids, Receiver receiver) throws StoreException {
      return call(Op.READ, () -> inner.chunks().read(ids, receiver));
    }

    @Override
    public Set<ChunkId> has(Collection<ChunkId> ids) throws StoreException {
      return call(Op.HAS, () -> inner.chunks().has(ids));
    }

    @Override
    public void delete(Collection<ChunkId> ids) throws StoreException {
      call(
          Op.DELETE,
          () -> {
            inner.chunks().delete(ids);
            return true;
          });
    }

    @Override
    public ChunkStore.Cursor ids(ChunkId from) throws StoreException {
      return call(Op.IDS, () -> inner.chunks().ids(from));
    }
  }

  private final class Records implements RecordStore {
    @Override
    public Optional<Bytes> get(Space space, Bytes key) throws StoreException {
      return call(Op.GET, () -> inner.records().get(space, key));
    }

    @Override
    public Map<Bytes, Bytes> getAll(Space space, Collection<Bytes> keys) throws StoreException {
      return call(Op.GET, () -> inner.records().getAll(space, keys));
    }

    @Override
    public RecordStore.Cursor scan(Space space, RecordRange range) throws StoreException {
      return call(Op.SCAN, () -> inner.records().scan(space, range));
    }

    @Override
    public CommitResult commit(RecordBatch batch, Durability durability) throws StoreException {
      return call(Op.COMMIT, () -> inner.records().commit(batch, durability));
    }
  }
}
