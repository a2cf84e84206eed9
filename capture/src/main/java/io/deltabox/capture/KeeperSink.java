package io.deltabox.capture;

import io.deltabox.capture.descriptors.DescriptorTable;
import io.deltabox.capture.files.FileLoader;
import io.deltabox.capture.files.FileState;
import io.deltabox.capture.record.RecordKind;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes snapshots into the keeper: those that come back from a store. Snapshots of the running
 * sandbox need not pass here, their pages lie in the keeper's store already.
 *
 * <p>Snapshots come as fast as a store gives them, so {@link Keeper#using} is held for the length
 * of a call only: a collection waits for no store, and nobody for that collection. Until it is
 * closed, nothing it has taken in is freed.
 */
final class KeeperSink implements CaptureSink, Keeper.Unfinished, AutoCloseable {
  private final Keeper keeper;
  private final MemoryWork slots;
  private final FilesPart files;
  private final Consumer<SnapshotState> made;
  private final Memory staging;
  private @Nullable Building building;
  private final List<SnapshotState> whole = new ArrayList<>();

  /** A snapshot that is not whole yet. */
  private static final class Building {
    final UUID id;
    final @Nullable SnapshotState parent;
    final @Nullable FileLoader files;
    final Map<Integer, PageMap.Editor> pages = new HashMap<>();
    final Map<ObjectId, PageMap.Editor> shared = new HashMap<>();
    final Map<Integer, ProcessState> processes = new LinkedHashMap<>();
    final Map<ObjectId, Long> objects = new LinkedHashMap<>();
    final Map<ObjectId, ObjectId> aliases = new HashMap<>();
    @Nullable DescriptorTable descriptors;
    BaseIdentity base = BaseIdentity.NONE;
    ClockOffsets clocks = ClockOffsets.NONE;
    @Nullable UUID lineage;

    Building(UUID id, @Nullable SnapshotState parent, @Nullable FileLoader files) {
      this.id = id;
      this.parent = parent;
      this.files = files;
    }

    PageMap.Editor pages(int process) {
      ProcessSnapshot old = parent == null ? null : parent.processes().get(process);
      return pages.computeIfAbsent(
          process, key -> (old == null ? PageMap.EMPTY : old.pages()).edit());
    }

    PageMap.Editor shared(ObjectId object) {
      ObjectState old = parent == null ? null : parent.objects().get(object);
      return shared.computeIfAbsent(
          object, key -> (old == null ? PageMap.EMPTY : old.pages()).edit());
    }
  }

  /**
   * @param made takes what is whole, so that the keeper does not free it
   */
  KeeperSink(Keeper keeper, FilesPart files, Consumer<SnapshotState> made) throws IOException {
    this.keeper = keeper;
    this.slots = keeper.newWork(Pace.none());
    this.files = files;
    this.made = made;
    this.staging = Memory.allocate((long) PAGES_MAX * PageStore.PAGE_BYTES, Memory.Touch.LATER);
    keeper.begin(this);
  }

  @Override
  public void mark(BitSet live, Set<PageMap.Node> visited, List<FileState> states) {
    for (SnapshotState snapshot : whole) {
      snapshot.processes().values().forEach(p -> p.pages().mark(live, visited));
      snapshot.objects().values().forEach(o -> o.pages().mark(live, visited));
      if (snapshot.files() != null) {
        states.add(snapshot.files());
      }
    }
    Building now = building;
    if (now != null) {
      now.pages.values().forEach(editor -> editor.build().mark(live, visited));
      now.shared.values().forEach(editor -> editor.build().mark(live, visited));
      if (now.files != null) {
        states.add(now.files.build());
      }
    }
  }

  /** A step that takes contents: none is freed in the middle of it. */
  private interface Step {
    void run() throws IOException;
  }

  private void using(Step step) throws IOException {
    keeper.using().lock();
    try {
      step.run();
    } finally {
      keeper.using().unlock();
    }
  }

  @Override
  public boolean knows(UUID snapshot) {
    try {
      return keeper.find(snapshot).id().equals(snapshot);
    } catch (CaptureException e) {
      return false;
    }
  }

  @Override
  public void begin(UUID snapshot, @Nullable UUID parent) throws IOException {
    if (building != null) {
      throw new IllegalStateException("another snapshot is not whole yet: id=" + building.id);
    }
    using(
        () -> {
          SnapshotState known = parent == null ? null : keeper.find(parent);
          building =
              new Building(snapshot, known, files.loader(known == null ? null : known.files()));
        });
  }

  private Building building() {
    if (building == null) {
      throw new IllegalStateException("no snapshot was begun");
    }
    return building;
  }

  @Override
  public void pages(int process, List<PageRun> runs, ByteBuffer bytes, @Nullable ByteBuffer before)
      throws IOException {
    using(() -> put(building().pages(process), runs, bytes));
  }

  @Override
  public void shared(
      ObjectId object, List<PageRun> runs, ByteBuffer bytes, @Nullable ByteBuffer before)
      throws IOException {
    using(() -> put(building().shared(object), runs, bytes));
  }

  private void put(PageMap.Editor editor, List<PageRun> runs, ByteBuffer bytes) throws IOException {
    long pages = runs.stream().mapToLong(PageRun::pages).sum();
    if (pages > PAGES_MAX || pages * PageStore.PAGE_BYTES != bytes.remaining()) {
      throw new IllegalArgumentException(
          "bytes do not match the pages: bytes=" + bytes.remaining() + " pages=" + pages);
    }
    staging.slice(0, bytes.remaining()).put(bytes.duplicate());
    long address = staging.address();
    for (PageRun run : runs) {
      for (long page = run.firstPage(); page < run.endPage(); page++) {
        editor.put(page, slots.slotFor(editor.get(page), PageMap.ABSENT, address));
        address += PageStore.PAGE_BYTES;
      }
    }
  }

  @Override
  public void dropped(int process, List<PageRun> runs) throws IOException {
    using(() -> drop(building().pages(process), runs));
  }

  @Override
  public void sharedDropped(ObjectId object, List<PageRun> runs) throws IOException {
    using(() -> drop(building().shared(object), runs));
  }

  private static void drop(PageMap.Editor editor, List<PageRun> runs) {
    runs.forEach(run -> editor.removeRange(run.firstPage(), run.endPage()));
  }

  @Override
  public void file(CapturedFile file, @Nullable ReadableByteChannel content) throws IOException {
    using(() -> fileLoader().add(file, content));
  }

  @Override
  public void fileDropped(ByteBuffer key) throws IOException {
    using(() -> fileLoader().drop(key));
  }

  private FileLoader fileLoader() {
    FileLoader loader = building().files;
    if (loader == null) {
      throw new IllegalArgumentException("a snapshot has files and this sandbox has none");
    }
    return loader;
  }

  @Override
  public void record(RecordKind kind, ByteBuffer bytes) throws IOException {
    Building now = building();
    switch (kind) {
      case SNAPSHOT -> now.lineage = SnapshotRecords.parent(bytes);
      case PROCESS -> {
        ProcessState state = SnapshotRecords.process(bytes);
        now.processes.put(state.inner(), state);
      }
      case OBJECT -> {
        SnapshotRecords.ObjectRecord object = SnapshotRecords.object(bytes);
        now.objects.put(object.id(), object.size());
        object.names().forEach(name -> now.aliases.put(name, object.id()));
      }
      case DESCRIPTORS -> now.descriptors = DescriptorTable.ofRecord(bytes);
      case CLOCKS -> now.clocks = SnapshotRecords.clocks(bytes);
      case BASE -> now.base = SnapshotRecords.base(bytes);
      case FILE -> throw new IllegalArgumentException("a file comes with its key and content");
    }
  }

  @Override
  public void commit() throws IOException {
    using(this::finish);
  }

  private void finish() throws IOException {
    Building now = building();
    if (now.descriptors == null) {
      throw new CaptureException("snapshot is not whole: it has no descriptors, id=" + now.id);
    }
    Map<Integer, ProcessSnapshot> processes = new LinkedHashMap<>();
    now.processes.forEach(
        (number, state) ->
            processes.put(number, new ProcessSnapshot(state, now.pages(number).build())));
    Map<ObjectId, ObjectState> objects = new HashMap<>();
    now.objects.forEach(
        (id, size) -> objects.put(id, new ObjectState(size, now.shared(id).build())));
    SnapshotState snapshot =
        new SnapshotState(
            now.id,
            now.lineage,
            processes,
            objects,
            Map.copyOf(now.aliases),
            now.descriptors,
            now.files == null ? null : now.files.build(),
            now.base,
            now.clocks);
    whole.add(snapshot);
    made.accept(snapshot);
    building = null;
  }

  /** What it had stored is freed by the keeper's next collection. */
  @Override
  public void abort() {
    building = null;
  }

  @Override
  public void close() {
    keeper.end(this);
    staging.close();
  }
}
