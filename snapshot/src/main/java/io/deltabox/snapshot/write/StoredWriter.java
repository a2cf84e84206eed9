package io.deltabox.snapshot.write;

import io.deltabox.snapshot.FileEntry;
import io.deltabox.snapshot.PageRange;
import io.deltabox.snapshot.Receipt;
import io.deltabox.snapshot.SnapshotSpec;
import io.deltabox.snapshot.SnapshotWriter;
import io.deltabox.snapshot.format.ChunkType;
import io.deltabox.snapshot.format.FastCdc;
import io.deltabox.snapshot.read.ChunkLoader;
import io.deltabox.snapshot.read.Manifests;
import io.deltabox.snapshot.table.FilePiece;
import io.deltabox.snapshot.table.Layers;
import io.deltabox.snapshot.table.Manifest;
import io.deltabox.snapshot.table.ManifestFormat;
import io.deltabox.snapshot.table.RecordStream;
import io.deltabox.snapshot.table.StoredFile;
import io.deltabox.store.Bytes;
import io.deltabox.store.CommitResult;
import io.deltabox.store.Durability;
import io.deltabox.store.HotStore;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.Space;
import io.deltabox.store.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Writes one snapshot. */
public final class StoredWriter implements SnapshotWriter {
  private final SnapshotSpec spec;
  private final HotStore hot;
  private final Manifests manifests;
  private final Ingest ingest;
  private final Pieces pieces;
  private final @Nullable Manifest parent;
  private final Layers below;
  private final TableWriter tables;
  private final Runnable whenClosed;

  private final Map<String, PageCutter> maps = new TreeMap<>();
  private final Map<Bytes, PendingFile> files = new TreeMap<>();
  private final Set<Bytes> goneFiles = new TreeSet<>();
  private final List<RecordStream.Item> records = new ArrayList<>();
  private @Nullable Set<String> kept;
  private long bytesIn;
  private long bytesZero;
  private long recordBytes;
  private @Nullable Prepared prepared;
  private boolean closed;

  /** A file whose pieces are named later. */
  record PendingFile(FileEntry entry, List<Piece> pieces, List<FilePiece> inherited) {
    StoredFile stored() {
      List<FilePiece> all = new ArrayList<>(inherited);
      pieces.forEach(piece -> all.add(new FilePiece(piece.id(), piece.bytes())));
      return new StoredFile(entry, all);
    }
  }

  /** All that is written and only has to be made visible. */
  record Prepared(Manifest manifest, Bytes sealed, Receipt receipt) {}

  /**
   * @param parent null: what follows is complete
   * @param whenClosed run once
   */
  public StoredWriter(
      SnapshotSpec spec,
      HotStore hot,
      Manifests manifests,
      ChunkLoader loader,
      Ingest ingest,
      @Nullable Manifest parent,
      Runnable whenClosed)
      throws StoreException {
    this.spec = spec;
    this.hot = hot;
    this.manifests = manifests;
    this.ingest = ingest;
    this.pieces = new Pieces(ingest);
    this.parent = parent;
    this.below = parent == null ? Layers.EMPTY : manifests.layers(parent);
    this.tables = new TableWriter(loader);
    this.whenClosed = whenClosed;
  }

  private void requireOpen() {
    if (closed || prepared != null) {
      throw new IllegalStateException("writer takes no more: snapshot=" + spec.id());
    }
  }

  private PageCutter map(String name) {
    if (name.isEmpty() || name.length() > MAP_NAME_MAX) {
      throw new IllegalArgumentException("name of a map of impossible length: " + name.length());
    }
    return maps.computeIfAbsent(
        name,
        map ->
            new PageCutter(
                new MapDelta(), below.lookup(map), ingest.predecessors(), parent == null));
  }

  @Override
  public void pages(
      String map, List<PageRange> ranges, ByteBuffer bytes, @Nullable ByteBuffer before)
      throws StoreException {
    requireOpen();
    long count = 0;
    for (PageRange range : ranges) {
      count += range.count();
    }
    if (count > PAGES_MAX || bytes.remaining() != count * PageRange.PAGE_BYTES) {
      throw new IllegalArgumentException(
          "pages and bytes differ: pages=" + count + " bytes=" + bytes.remaining());
    }
    if (before != null && before.remaining() != bytes.remaining()) {
      throw new IllegalArgumentException("bytes before differ in length: " + before.remaining());
    }
    PageCutter cutter = map(map);
    int offset = 0;
    for (PageRange range : ranges) {
      for (long page = range.from(); page < range.to(); page++) {
        page(cutter, page, slice(bytes, offset), before == null ? null : slice(before, offset));
        offset += PageRange.PAGE_BYTES;
      }
    }
  }

  private static ByteBuffer slice(ByteBuffer bytes, int offset) {
    return bytes.slice(bytes.position() + offset, PageRange.PAGE_BYTES);
  }

  private void page(PageCutter cutter, long page, ByteBuffer bytes, @Nullable ByteBuffer before)
      throws StoreException {
    int zeros = cutter.zeros();
    Piece full = cutter.add(page, bytes, before);
    bytesIn += PageRange.PAGE_BYTES;
    bytesZero += (long) (cutter.zeros() - zeros) * PageRange.PAGE_BYTES;
    if (full != null) {
      pieces.add(full);
    }
  }

  @Override
  public void dropPages(String map, List<PageRange> ranges) throws StoreException {
    requireOpen();
    PageCutter cutter = map(map);
    Piece rest = cutter.finish();
    if (rest != null) {
      pieces.add(rest);
    }
    ranges.forEach(cutter.delta()::gone);
  }

  @Override
  public void keepMaps(Set<String> keep) {
    requireOpen();
    kept = Set.copyOf(keep);
  }

  @Override
  public void file(FileEntry file, @Nullable ReadableByteChannel content) throws IOException {
    requireOpen();
    goneFiles.remove(file.key());
    if (content == null) {
      files.put(file.key(), new PendingFile(file, List.of(), inherited(file)));
      return;
    }
    List<Piece> cut = new ArrayList<>();
    ByteBuffer window = ByteBuffer.allocate(2 * FastCdc.MAX);
    long bytes = 0;
    for (boolean more = true; more || window.position() > 0; ) {
      while (more && window.hasRemaining()) {
        more = content.read(window) >= 0;
      }
      window.flip();
      while (window.remaining() >= FastCdc.MAX || (!more && window.hasRemaining())) {
        int length = FastCdc.cut(window);
        ByteBuffer piece = ByteBuffer.allocateDirect(length);
        piece.put(window.slice(window.position(), length)).flip();
        window.position(window.position() + length);
        cut.add(new Piece(ChunkType.FILE, piece, List.of()));
        pieces.add(cut.get(cut.size() - 1));
        bytes += length;
      }
      window.compact();
    }
    bytesIn += bytes;
    if (bytes != file.contentBytes()) {
      throw new IllegalArgumentException(
          "content and extents differ: key="
              + file.key()
              + " found="
              + bytes
              + " expected="
              + file.contentBytes());
    }
    files.put(file.key(), new PendingFile(file, cut, List.of()));
  }

  private List<FilePiece> inherited(FileEntry file) {
    if (file.contentBytes() == 0) {
      return List.of();
    }
    List<FilePiece> found = below.file(file.key()).map(StoredFile::pieces).orElse(List.of());
    long bytes = found.stream().mapToLong(FilePiece::bytes).sum();
    if (bytes != file.contentBytes()) {
      throw new IllegalArgumentException(
          "the parent's content is another one: key="
              + file.key()
              + " found="
              + bytes
              + " expected="
              + file.contentBytes());
    }
    return found;
  }

  @Override
  public void dropFile(Bytes key) {
    requireOpen();
    files.remove(key);
    goneFiles.add(key);
  }

  @Override
  public void record(int kind, ByteBuffer bytes) {
    requireOpen();
    recordBytes += bytes.remaining() + 10L;
    if (kind < 0 || bytes.remaining() > RECORD_BYTES_MAX || recordBytes > RecordStream.BYTES_MAX) {
      throw new IllegalArgumentException(
          "impossible record: kind=" + kind + " bytes=" + bytes.remaining());
    }
    ByteBuffer copy = ByteBuffer.allocate(bytes.remaining()).put(bytes.duplicate()).flip();
    records.add(new RecordStream.Item(kind, copy.asReadOnlyBuffer()));
    bytesIn += bytes.remaining();
  }

  @Override
  public Receipt commit(Durability durability, RecordBatch also) throws StoreException {
    if (closed) {
      throw new IllegalStateException("writer is closed: snapshot=" + spec.id());
    }
    Prepared ready = prepared;
    if (ready == null) {
      ready = prepare();
      prepared = ready;
    }
    Bytes key = ManifestFormat.key(spec.id());
    RecordBatch batch = new RecordBatch().expectAbsent(Space.MANIFEST, key);
    for (RecordBatch.Condition condition : also.conditions()) {
      Bytes value = condition.value();
      if (value == null) {
        batch.expectAbsent(condition.space(), condition.key());
      } else {
        batch.expect(condition.space(), condition.key(), value);
      }
    }
    batch.put(Space.MANIFEST, key, ready.sealed());
    for (RecordBatch.Change change : also.changes()) {
      Bytes value = change.value();
      if (value == null) {
        batch.delete(change.space(), change.key());
      } else {
        batch.put(change.space(), change.key(), value);
      }
    }
    CommitResult result = hot.records().commit(batch, durability);
    return new Receipt(
        result,
        ready.receipt().info(),
        ready.receipt().bytesIn(),
        ready.receipt().bytesZero(),
        ready.receipt().bytesDeduplicated(),
        ready.receipt().bytesStored(),
        ready.receipt().bytesMetadata());
  }

  private Prepared prepare() throws StoreException {
    for (PageCutter cutter : maps.values()) {
      Piece rest = cutter.finish();
      if (rest != null) {
        pieces.add(rest);
      }
    }
    List<Piece> recordPieces = StreamCutter.cut(ChunkType.RECORDS, RecordStream.encode(records));
    for (Piece piece : recordPieces) {
      pieces.add(piece);
    }
    pieces.await();
    Delta delta = new Delta(below, maps, files.values(), goneFiles, kept);
    Delta.Tables next = delta.over(parent);
    Pieces metadata = new Pieces(ingest);
    Manifest manifest =
        tables.write(
            spec,
            next,
            parent,
            Pieces.stream(recordPieces),
            metadata,
            bytesIn,
            recordBytes(),
            pieces.bytesStored());
    Bytes sealed = manifests.seal(manifest);
    Receipt receipt =
        new Receipt(
            new CommitResult.Committed(),
            manifest.info(),
            bytesIn,
            bytesZero,
            pieces.bytesDeduplicated(),
            pieces.bytesStored(),
            metadata.bytesStored() + sealed.length());
    return new Prepared(manifest, sealed, receipt);
  }

  private long recordBytes() {
    return records.stream().mapToLong(item -> item.bytes().remaining()).sum();
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    pieces.settle();
    whenClosed.run();
  }
}
