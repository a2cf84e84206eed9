package io.deltabox.snapshot.table;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.deltabox.snapshot.Extent;
import io.deltabox.snapshot.FileEntry;
import io.deltabox.snapshot.SnapshotWriter;
import io.deltabox.snapshot.table.proto.PageSlice;
import io.deltabox.snapshot.table.proto.Table;
import io.deltabox.snapshot.table.proto.TableFile;
import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import io.deltabox.store.StoreCorruptException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The stored form of a table: a {@code Table} of snapshot.proto. The same layer is always the same
 * bytes. A layer that says nothing has no stored form.
 */
public final class TableFormat {
  /** Of one chunk: 256 KiB. */
  public static final int CHUNK_PAGES_MAX = 64;

  /** The longest table, in bytes; 100 million pages, or some million files. */
  public static final int BYTES_MAX = 512 << 20;

  private TableFormat() {}

  public static byte[] encode(Layer layer) {
    Table.Builder table = Table.newBuilder();
    for (Map.Entry<String, PageRuns> map : layer.maps().entrySet()) {
      table.addAllSlices(PageSlices.encode(map.getKey(), map.getValue()));
    }
    table.addAllFreshMaps(layer.fresh()).addAllGoneMaps(layer.goneMaps());
    for (StoredFile file : layer.files().values()) {
      table.addFiles(encode(file));
    }
    for (Bytes gone : layer.goneFiles()) {
      table.addGoneFiles(ByteString.copyFrom(gone.buffer()));
    }
    return table.build().toByteArray();
  }

  private static TableFile encode(StoredFile file) {
    FileEntry entry = file.entry();
    TableFile.Builder stored =
        TableFile.newBuilder()
            .setKey(ByteString.copyFrom(entry.key().buffer()))
            .setBody(ByteString.copyFrom(entry.body().buffer()))
            .setSize(entry.size());
    long end = 0;
    for (Extent extent : entry.extents()) {
      stored.addExtents(extent.offset() - end).addExtents(extent.bytes());
      end = extent.end();
    }
    List<ChunkId> ids = new ArrayList<>();
    for (FilePiece piece : file.pieces()) {
      ids.add(piece.chunk());
      stored.addLengths(piece.bytes());
    }
    return stored.setChunks(StreamRefs.bytes(ids)).build();
  }

  /**
   * @throws StoreCorruptException if it is no table; memory for at most some times its length is
   *     taken before that is known
   */
  public static Layer decode(ByteBuffer bytes) throws StoreCorruptException {
    try {
      return decode(Table.parseFrom(bytes.duplicate()));
    } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
      throw new StoreCorruptException("not a table: bytes=" + bytes.remaining(), e);
    }
  }

  private static Layer decode(Table table) {
    TreeMap<String, PageRuns> maps = new TreeMap<>();
    String map = "";
    PageRuns.Builder runs = new PageRuns.Builder();
    for (PageSlice slice : table.getSlicesList()) {
      if (!slice.getMap().equals(map)) {
        put(maps, map, runs);
        map = slice.getMap();
        checkMap(map);
        requireOrder(maps.isEmpty() || maps.lastKey().compareTo(map) < 0, "maps");
        runs = new PageRuns.Builder();
      }
      requireOrder(
          slice.getNumber() >= (runs.end() + PageSlices.PAGES - 1) / PageSlices.PAGES, "slices");
      PageSlices.decode(slice, runs);
    }
    put(maps, map, runs);
    TreeMap<Bytes, StoredFile> files = new TreeMap<>();
    for (TableFile stored : table.getFilesList()) {
      StoredFile file = decode(stored);
      Bytes key = file.entry().key();
      requireOrder(files.isEmpty() || files.lastKey().compareTo(key) < 0, "files");
      files.put(key, file);
    }
    TreeSet<Bytes> goneFiles = new TreeSet<>();
    for (ByteString gone : table.getGoneFilesList()) {
      Bytes key = Bytes.of(gone.asReadOnlyByteBuffer());
      requireOrder(goneFiles.isEmpty() || goneFiles.last().compareTo(key) < 0, "files");
      goneFiles.add(key);
    }
    return new Layer(
        maps, names(table.getFreshMapsList()), names(table.getGoneMapsList()), files, goneFiles);
  }

  private static void put(Map<String, PageRuns> maps, String map, PageRuns.Builder runs) {
    PageRuns built = runs.build();
    if (!built.isEmpty()) {
      maps.put(map, built);
    }
  }

  private static void checkMap(String map) {
    if (map.isEmpty() || map.length() > SnapshotWriter.MAP_NAME_MAX) {
      throw new IllegalArgumentException("name of a map of impossible length: " + map.length());
    }
  }

  private static void requireOrder(boolean ordered, String what) {
    if (!ordered) {
      throw new IllegalArgumentException("out of order: " + what);
    }
  }

  private static SortedSet<String> names(List<String> stored) {
    TreeSet<String> names = new TreeSet<>();
    for (String name : stored) {
      checkMap(name);
      requireOrder(names.isEmpty() || names.last().compareTo(name) < 0, "maps");
      names.add(name);
    }
    return names;
  }

  private static StoredFile decode(TableFile stored) {
    if (stored.getExtentsCount() % 2 != 0) {
      throw new IllegalArgumentException("half an extent");
    }
    List<Extent> extents = new ArrayList<>();
    long end = 0;
    for (int i = 0; i < stored.getExtentsCount(); i += 2) {
      long hole = stored.getExtents(i);
      if (hole < 0 || hole > Long.MAX_VALUE - end) {
        throw new IllegalArgumentException("impossible hole: bytes=" + hole);
      }
      Extent extent = new Extent(end + hole, stored.getExtents(i + 1));
      extents.add(extent);
      end = extent.end();
    }
    List<ChunkId> ids = StreamRefs.ids(stored.getChunks());
    if (ids.size() != stored.getLengthsCount()) {
      throw new IllegalArgumentException("pieces without length: count=" + ids.size());
    }
    List<FilePiece> pieces = new ArrayList<>();
    for (int i = 0; i < ids.size(); i++) {
      pieces.add(new FilePiece(ids.get(i), stored.getLengths(i)));
    }
    FileEntry entry =
        new FileEntry(
            Bytes.of(stored.getKey().asReadOnlyByteBuffer()),
            Bytes.of(stored.getBody().asReadOnlyByteBuffer()),
            stored.getSize(),
            extents);
    return new StoredFile(entry, pieces);
  }
}
