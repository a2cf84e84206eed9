package io.deltabox;

import io.deltabox.capture.CaptureSource;
import io.deltabox.capture.CapturedFile;
import io.deltabox.capture.ObjectId;
import io.deltabox.capture.PageRun;
import io.deltabox.capture.record.RecordKind;
import io.deltabox.snapshot.PageRange;
import io.deltabox.snapshot.SnapshotReader;
import io.deltabox.snapshot.SnapshotStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Gives the snapshots of a store to the capture. Thread-safe. */
final class StoreSource implements CaptureSource {
  private final SnapshotStore store;
  private volatile @Nullable SnapshotReader last;

  StoreSource(SnapshotStore store) {
    this.store = store;
  }

  /** What a sandbox is made of. */
  RestorePoint point(UUID snapshot) throws IOException {
    List<SandboxSpec> specs = new ArrayList<>();
    List<List<CapturedExec>> commands = new ArrayList<>();
    SnapshotReader reader = reader(snapshot);
    reader.records(
        (kind, bytes) -> {
          if (kind == StoredFacts.SPEC) {
            specs.add(StoredFacts.spec(bytes));
          } else if (kind == StoredFacts.COMMANDS) {
            commands.add(StoredFacts.commands(bytes));
          }
        });
    if (specs.size() != 1 || commands.size() != 1) {
      throw new SandboxException(
          "the store has no sandbox's snapshot under this id: snapshot=" + snapshot);
    }
    return new RestorePoint(
        StoredFacts.snapshot(reader.info()), specs.get(0), commands.get(0), null, this);
  }

  /** Small ranges are asked for one after another: what a reader has read of its tables stays. */
  private SnapshotReader reader(UUID snapshot) throws IOException {
    SnapshotReader known = last;
    if (known == null || !known.info().id().equals(snapshot)) {
      known = store.read(snapshot);
      last = known;
    }
    return known;
  }

  @Override
  public void prefetch(UUID snapshot) {
    try {
      reader(snapshot).prefetch();
    } catch (IOException e) {
      // Only a hint: the read that follows tells.
    }
  }

  @Override
  public void records(UUID snapshot, RecordVisitor to) throws IOException {
    reader(snapshot)
        .records(
            (number, bytes) -> {
              if (number < StoredFacts.OWN_FROM) {
                to.record(kind(number), bytes);
              }
            });
  }

  private static RecordKind kind(int number) throws IOException {
    RecordKind kind = KINDS.get(number);
    if (kind == null) {
      throw new IOException(
          "read snapshot failed: unknown record, written by another release: kind=" + number);
    }
    return kind;
  }

  private static final Map<Integer, RecordKind> KINDS = kinds();

  private static Map<Integer, RecordKind> kinds() {
    Map<Integer, RecordKind> kinds = new HashMap<>();
    for (RecordKind kind : RecordKind.values()) {
      kinds.put(kind.number(), kind);
    }
    return Map.copyOf(kinds);
  }

  @Override
  public void pages(UUID snapshot, int process, PageRun range, PageVisitor to) throws IOException {
    pages(snapshot, StoreSink.map(process), range, to);
  }

  @Override
  public void shared(UUID snapshot, ObjectId object, PageRun range, PageVisitor to)
      throws IOException {
    pages(snapshot, StoreSink.map(object), range, to);
  }

  private void pages(UUID snapshot, String map, PageRun range, PageVisitor to) throws IOException {
    long end = Math.min(range.endPage(), PageRange.PAGES_MAX);
    if (range.firstPage() >= end) {
      return;
    }
    reader(snapshot)
        .pages(
            map,
            new PageRange(range.firstPage(), end),
            (ranges, bytes) ->
                to.pages(
                    ranges.stream().map(r -> new PageRun(r.from() << 12, r.to() << 12)).toList(),
                    bytes));
  }

  @Override
  public void files(UUID snapshot, FileVisitor to) throws IOException {
    reader(snapshot)
        .files(
            (file, content) ->
                to.file(
                    new CapturedFile(
                        file.key().buffer(),
                        file.size(),
                        file.extents().stream()
                            .map(one -> new CapturedFile.Extent(one.offset(), one.end()))
                            .toList(),
                        file.body().buffer()),
                    content));
  }
}
