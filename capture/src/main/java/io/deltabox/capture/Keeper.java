package io.deltabox.capture;

import io.deltabox.capture.files.ContentStore;
import io.deltabox.capture.files.FileState;
import io.deltabox.capture.files.FileTracker;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * Snapshots in memory, of many sandboxes: the pages and file contents they share. Bounded by bytes
 * of content; nothing is dropped unless removed by name. Thread-safe.
 *
 * <p>Contents are immutable once stored, so sandboxes share them without asking each other. Only
 * freeing needs everybody to hold still: an engine works under {@link #using()}, {@link #collect}
 * waits until none does.
 */
public final class Keeper implements AutoCloseable {
  /** Whoever refers to stored contents. Asked only while no engine works. */
  interface User {
    /** Snapshots of its lineage, oldest first. */
    List<SnapshotState> snapshots();

    /** What the running sandbox is compared with; null when it is gone. */
    @Nullable MemoryWork work();

    @Nullable FileTracker tracker();
  }

  /** Contents of a snapshot that is being taken in; asked only while nobody takes contents. */
  interface Unfinished {
    void mark(BitSet live, Set<PageMap.Node> visited, List<FileState> files);
  }

  private final PageStore store;
  private final ContentStore contents = new ContentStore();
  private final int zeroSlot;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock(true);
  private final List<User> users = new CopyOnWriteArrayList<>();
  private final List<Unfinished> unfinished = new CopyOnWriteArrayList<>();
  private final ConcurrentHashMap<UUID, SnapshotState> outliving = new ConcurrentHashMap<>();

  private final Set<Passing> passing = ConcurrentHashMap.newKeySet();

  /** Snapshots that a sink is being given: compared by identity, as two sinks may be given one. */
  private static final class Passing {
    final SnapshotState snapshot;
    final @Nullable SnapshotState since;

    Passing(SnapshotState snapshot, @Nullable SnapshotState since) {
      this.snapshot = snapshot;
      this.since = since;
    }
  }

  private Keeper(long bytesMax) throws IOException {
    this.store = new PageStore(bytesMax);
    try (Memory zeros = Memory.allocate(PageStore.PAGE_BYTES, Memory.Touch.NOW)) {
      this.zeroSlot = store.take(zeros.address());
    }
  }

  /**
   * @param bytesMax bound of the contents kept, all sandboxes together
   */
  public static Keeper open(long bytesMax) throws IOException {
    return new Keeper(bytesMax);
  }

  PageStore store() {
    return store;
  }

  ContentStore contents() {
    return contents;
  }

  /** All snapshots kept, whole. */
  public CaptureSource source() {
    return new KeeperSource(this);
  }

  /**
   * Passes a snapshot to a sink. Neither checkpoints nor removals wait for it, however slow the
   * sink is; what it passes is not freed before it is done.
   *
   * @param since another one that is kept and that the sink knows; null: complete
   */
  public void send(UUID id, @Nullable UUID since, CaptureSink to) throws IOException {
    Passing one;
    using().lock();
    try {
      one = new Passing(find(id), since == null ? null : find(since));
      passing.add(one);
    } finally {
      using().unlock();
    }
    try {
      new SnapshotSender(store, to).send(one.snapshot, one.since);
    } finally {
      passing.remove(one);
      if (!kept(id) || (since != null && !kept(since))) {
        collect();
      }
    }
  }

  private boolean kept(UUID id) {
    try {
      return find(id).id().equals(id);
    } catch (CaptureException e) {
      return false;
    }
  }

  MemoryWork newWork(Pace pace) {
    return new MemoryWork(store, zeroSlot, pace);
  }

  void add(User user) {
    users.add(user);
  }

  /**
   * @param kept snapshots of the user that stay without it
   */
  void remove(User user, List<SnapshotState> kept) {
    kept.forEach(snapshot -> outliving.put(snapshot.id(), snapshot));
    users.remove(user);
    collect();
  }

  /** Until {@link #end}, what it marks is not freed. */
  void begin(Unfinished snapshot) {
    unfinished.add(snapshot);
  }

  void end(Unfinished snapshot) {
    unfinished.remove(snapshot);
  }

  /** Held by an engine from before it takes contents until something kept refers to them. */
  ReentrantReadWriteLock.ReadLock using() {
    return lock.readLock();
  }

  /** A snapshot of any sandbox. */
  SnapshotState find(UUID id) throws CaptureException {
    SnapshotState outlived = outliving.get(id);
    if (outlived != null) {
      return outlived;
    }
    for (User user : users) {
      for (SnapshotState snapshot : user.snapshots()) {
        if (snapshot.id().equals(id)) {
          return snapshot;
        }
      }
    }
    throw new CaptureException("no such snapshot in memory: id=" + id);
  }

  /** Forgets a snapshot whose sandbox has ended. */
  public void forget(UUID id) {
    if (outliving.remove(id) != null) {
      collect();
    }
  }

  /** Frees what no snapshot and no running sandbox refers to. */
  void collect() {
    lock.writeLock().lock();
    try {
      List<SnapshotState> snapshots = new ArrayList<>(outliving.values());
      List<FileTracker> trackers = new ArrayList<>();
      BitSet live = new BitSet();
      Set<PageMap.Node> visited = Collections.newSetFromMap(new IdentityHashMap<>());
      live.set(zeroSlot);
      for (User user : users) {
        snapshots.addAll(user.snapshots());
        MemoryWork work = user.work();
        if (work != null) {
          work.maps().forEach(map -> map.mark(live, visited));
        }
        FileTracker tracker = user.tracker();
        if (tracker != null) {
          trackers.add(tracker);
        }
      }
      for (Passing one : passing) {
        snapshots.add(one.snapshot);
        if (one.since != null) {
          snapshots.add(one.since);
        }
      }
      List<FileState> files = new ArrayList<>();
      for (SnapshotState snapshot : snapshots) {
        snapshot.processes().values().forEach(p -> p.pages().mark(live, visited));
        snapshot.objects().values().forEach(o -> o.pages().mark(live, visited));
        FileState state = snapshot.files();
        if (state != null) {
          files.add(state);
        }
      }
      unfinished.forEach(one -> one.mark(live, visited, files));
      store.keepOnly(live);
      contents.retain(files, trackers);
    } finally {
      lock.writeLock().unlock();
    }
  }

  /**
   * The error that says how to make room; not to be called under {@link #using()}.
   *
   * @param own snapshots of the sandbox that found no room, oldest first
   */
  KeeperFullException full(List<SnapshotState> own) {
    collect();
    String oldest =
        own.isEmpty()
            ? " (the running processes alone need more: raise the limit)"
            : " (remove one, for example the oldest: " + own.get(0).id() + ")";
    return new KeeperFullException(store.bytesMax(), oldest);
  }

  static long pages(SnapshotState snapshot) {
    long[] count = new long[1];
    snapshot.processes().values().forEach(p -> p.pages().forEach((page, slot) -> count[0]++));
    return count[0];
  }

  /** Contents kept, bytes. */
  public long bytesUsed() {
    return store.bytesUsed() + contents.bytesHeld();
  }

  /** Their bound, bytes. */
  public long bytesMax() {
    return store.bytesMax();
  }

  /** Every engine that works with it must be closed before, and nothing be passed on any more. */
  @Override
  public void close() {
    store.close();
    contents.close();
  }
}
