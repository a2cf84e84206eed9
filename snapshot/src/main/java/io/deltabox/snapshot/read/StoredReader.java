package io.deltabox.snapshot.read;

import io.deltabox.snapshot.PageRange;
import io.deltabox.snapshot.SnapshotInfo;
import io.deltabox.snapshot.SnapshotReader;
import io.deltabox.snapshot.format.ChunkType;
import io.deltabox.snapshot.table.Layers;
import io.deltabox.snapshot.table.Manifest;
import io.deltabox.snapshot.table.PageRuns;
import io.deltabox.snapshot.table.RecordStream;
import io.deltabox.snapshot.table.StoredFile;
import io.deltabox.store.ChunkId;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreMissingException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Reads one snapshot. */
public final class StoredReader implements SnapshotReader {
  /** Reads something of the store. */
  private interface Load<T> {
    T load() throws StoreException;
  }

  private final Manifest manifest;
  private final Manifests manifests;
  private final ChunkLoader loader;

  public StoredReader(Manifest manifest, Manifests manifests, ChunkLoader loader) {
    this.manifest = manifest;
    this.manifests = manifests;
    this.loader = loader;
  }

  @Override
  public SnapshotInfo info() {
    return manifest.info();
  }

  @Override
  public Set<String> maps() throws StoreException {
    return layers().maps();
  }

  private Layers layers() throws StoreException {
    return load(() -> manifests.layers(manifest));
  }

  ByteBuffer plain(ChunkType type, ChunkId id) throws StoreException {
    return load(() -> loader.plain(type, id));
  }

  /** Names the snapshot in failures, and tells what was swept from what is damaged. */
  private <T> T load(Load<T> what) throws StoreException {
    try {
      return what.load();
    } catch (StoreMissingException e) {
      if (!manifests.has(info().id())) {
        throw new StoreMissingException(
            "snapshot was deleted while it was read: snapshot=" + info().id(), e);
      }
      throw damaged(e);
    } catch (StoreCorruptException e) {
      throw damaged(e);
    }
  }

  private StoreCorruptException damaged(StoreException e) {
    return new StoreCorruptException(
        "snapshot is damaged: " + e.getMessage() + " snapshot=" + info().id(), e);
  }

  @Override
  public void pages(String map, PageRange range, PageVisitor to) throws IOException {
    PageRuns runs = layers().pages(map, range);
    ByteBuffer bytes = ByteBuffer.allocate(PAGES_MAX * PageRange.PAGE_BYTES);
    List<PageRange> ranges = new ArrayList<>();
    for (int run = 0; run < runs.size(); run++) {
      for (int done = 0; done < runs.count(run); ) {
        int room = bytes.remaining() / PageRange.PAGE_BYTES;
        int count = Math.min(room, runs.count(run) - done);
        fill(runs, run, done, count, bytes);
        addTo(ranges, runs.first(run) + done, count);
        done += count;
        if (!bytes.hasRemaining()) {
          to.pages(List.copyOf(ranges), bytes.flip().asReadOnlyBuffer());
          bytes.clear();
          ranges.clear();
        }
      }
    }
    if (!ranges.isEmpty()) {
      to.pages(List.copyOf(ranges), bytes.flip().asReadOnlyBuffer());
    }
  }

  private static void addTo(List<PageRange> ranges, long first, int count) {
    int last = ranges.size() - 1;
    if (last >= 0 && ranges.get(last).to() == first) {
      ranges.set(last, new PageRange(ranges.get(last).from(), first + count));
    } else {
      ranges.add(new PageRange(first, first + count));
    }
  }

  private void fill(PageRuns runs, int run, int skip, int count, ByteBuffer into)
      throws StoreException {
    int length = count * PageRange.PAGE_BYTES;
    if (runs.zero(run)) {
      into.put(new byte[length]);
      return;
    }
    ByteBuffer plain = plain(ChunkType.PAGES, runs.chunk(run));
    int from = (runs.at(run) + skip) * PageRange.PAGE_BYTES;
    if (from + length > plain.remaining()) {
      throw new StoreCorruptException(
          "snapshot is damaged: page behind the end of a chunk: chunk="
              + runs.chunk(run)
              + " snapshot="
              + info().id());
    }
    into.put(plain.slice(from, length));
  }

  @Override
  public void files(FileVisitor to) throws IOException {
    for (StoredFile file : layers().files().values()) {
      if (file.pieces().isEmpty()) {
        to.file(file.entry(), null);
      } else {
        try (FileContent content = new FileContent(this, file)) {
          to.file(file.entry(), content);
        }
      }
    }
  }

  @Override
  public void records(RecordVisitor to) throws IOException {
    ByteBuffer stream =
        load(() -> loader.stream(ChunkType.RECORDS, manifest.records(), RecordStream.BYTES_MAX));
    for (RecordStream.Item item : RecordStream.decode(stream)) {
      to.record(item.kind(), item.bytes());
    }
  }

  @Override
  public void prefetch() {
    // The tables are what every read needs first, and what takes longest to decode alone.
    try {
      layers();
    } catch (StoreException e) {
      // Whoever reads gets the failure.
      return;
    }
  }
}
