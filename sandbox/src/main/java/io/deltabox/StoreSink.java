package io.deltabox;

import io.deltabox.capture.CaptureSink;
import io.deltabox.capture.CapturedFile;
import io.deltabox.capture.ObjectId;
import io.deltabox.capture.PageRun;
import io.deltabox.capture.Transfer;
import io.deltabox.capture.record.RecordKind;
import io.deltabox.snapshot.Extent;
import io.deltabox.snapshot.FileEntry;
import io.deltabox.snapshot.PageRange;
import io.deltabox.snapshot.SnapshotSpec;
import io.deltabox.snapshot.SnapshotStore;
import io.deltabox.snapshot.SnapshotWriter;
import io.deltabox.store.Bytes;
import io.deltabox.store.Durability;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Takes one snapshot of a sandbox into a store: what the capture says of it, and what the daemon
 * has to know beside that. One thread at a time, used once.
 */
final class StoreSink implements CaptureSink {
  private final SnapshotStore store;
  private final RestorePoint point;
  private final Durability durability;
  private final Set<String> maps = new HashSet<>();
  private @Nullable SnapshotWriter writer;

  /**
   * @param point what is stored of the snapshot beside its state
   * @param durability of the commit
   */
  StoreSink(SnapshotStore store, RestorePoint point, Durability durability) {
    this.store = store;
    this.point = point;
    this.durability = durability;
  }

  /** The map of a process's private pages. */
  static String map(int process) {
    return "p/" + process;
  }

  /** The map of a shared object's pages. */
  static String map(ObjectId object) {
    return "o/" + Long.toHexString(object.device()) + ":" + Long.toHexString(object.inode());
  }

  @Override
  public boolean knows(UUID snapshot) {
    try {
      return store.has(snapshot);
    } catch (IOException e) {
      // Then it comes whole; what is wrong with the store shows when it is written.
      return false;
    }
  }

  @Override
  public void begin(UUID snapshot, @Nullable UUID parent) throws IOException {
    if (writer != null || !snapshot.equals(CapturedState.uuid(point.snapshot().id()))) {
      throw new IllegalStateException("another snapshot was to be stored: found=" + snapshot);
    }
    writer =
        store.begin(
            new SnapshotSpec(
                snapshot, parent, point.snapshot().time(), StoredFacts.attributes(point)));
  }

  private SnapshotWriter writer() {
    if (writer == null) {
      throw new IllegalStateException("no snapshot was begun");
    }
    return writer;
  }

  private static List<PageRange> ranges(List<PageRun> runs) {
    return runs.stream().map(run -> new PageRange(run.firstPage(), run.endPage())).toList();
  }

  @Override
  public void pages(int process, List<PageRun> runs, ByteBuffer bytes, @Nullable ByteBuffer before)
      throws IOException {
    writer().pages(map(process), ranges(runs), bytes, before);
  }

  @Override
  public void dropped(int process, List<PageRun> runs) throws IOException {
    writer().dropPages(map(process), ranges(runs));
  }

  @Override
  public void shared(
      ObjectId object, List<PageRun> runs, ByteBuffer bytes, @Nullable ByteBuffer before)
      throws IOException {
    writer().pages(map(object), ranges(runs), bytes, before);
  }

  @Override
  public void sharedDropped(ObjectId object, List<PageRun> runs) throws IOException {
    writer().dropPages(map(object), ranges(runs));
  }

  @Override
  public void file(CapturedFile file, @Nullable ReadableByteChannel content) throws IOException {
    List<Extent> extents =
        file.extents().stream().map(one -> new Extent(one.from(), one.bytes())).toList();
    writer()
        .file(
            new FileEntry(Bytes.of(file.key()), Bytes.of(file.body()), file.size(), extents),
            content);
  }

  @Override
  public void fileDropped(ByteBuffer key) throws IOException {
    writer().dropFile(Bytes.of(key));
  }

  @Override
  public void record(RecordKind kind, ByteBuffer bytes) throws IOException {
    if (kind == RecordKind.PROCESS) {
      maps.add(map(Transfer.processOf(bytes)));
    } else if (kind == RecordKind.OBJECT) {
      maps.add(map(Transfer.objectOf(bytes)));
    }
    writer().record(kind.number(), bytes);
  }

  @Override
  public void commit() throws IOException {
    try (SnapshotWriter done = writer()) {
      done.keepMaps(maps);
      done.record(StoredFacts.SPEC, StoredFacts.write(point.spec()));
      done.record(StoredFacts.COMMANDS, StoredFacts.write(point.commands()));
      done.commit(durability);
    }
  }

  @Override
  public void abort() {
    SnapshotWriter open = writer;
    if (open != null) {
      open.close();
    }
  }
}
