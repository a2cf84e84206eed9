package io.deltabox.snapshot.write;

import io.deltabox.snapshot.PageRange;
import io.deltabox.snapshot.SnapshotInfo;
import io.deltabox.snapshot.SnapshotSpec;
import io.deltabox.snapshot.format.ChunkType;
import io.deltabox.snapshot.read.ChunkLoader;
import io.deltabox.snapshot.table.Layer;
import io.deltabox.snapshot.table.Layers;
import io.deltabox.snapshot.table.Manifest;
import io.deltabox.snapshot.table.StoredFile;
import io.deltabox.snapshot.table.StreamRef;
import io.deltabox.snapshot.table.TableFormat;
import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import io.deltabox.store.StoreException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes the tables of a snapshot and makes its manifest. */
final class TableWriter {
  private final ChunkLoader loader;

  TableWriter(ChunkLoader loader) {
    this.loader = loader;
  }

  Manifest write(
      SnapshotSpec spec,
      Delta.Tables tables,
      @Nullable Manifest parent,
      StreamRef records,
      Pieces metadata,
      long bytesIn,
      long recordBytes,
      long storedBytes)
      throws StoreException {
    Layers layers = tables.layers();
    StreamRef keyframe = old(layers.keyframe(), parent);
    StreamRef middle = old(layers.middle(), parent);
    List<Piece> keyframePieces = keyframe != null ? List.of() : cut(layers.keyframe(), metadata);
    List<Piece> middlePieces = middle != null ? List.of() : cut(layers.middle(), metadata);
    List<Piece> ownPieces = cut(layers.own(), metadata);
    metadata.await();
    keyframe = keyframe != null ? keyframe : kept(layers.keyframe(), keyframePieces);
    middle = middle != null ? middle : kept(layers.middle(), middlePieces);
    StreamRef own = kept(layers.own(), ownPieces);
    long pages = 0;
    for (String map : layers.maps()) {
      pages += layers.pages(map, PageRange.ALL).pages();
    }
    long content = pages * PageRange.PAGE_BYTES + recordBytes;
    Map<Bytes, StoredFile> files = layers.files();
    for (StoredFile file : files.values()) {
      content += file.entry().contentBytes();
    }
    SnapshotInfo info =
        new SnapshotInfo(
            spec,
            digest(List.of(keyframe, middle, own, records)),
            pages,
            files.size(),
            content,
            bytesIn,
            storedBytes + metadata.bytesStored(),
            metadata.bytesStored());
    return new Manifest(
        info, keyframe, middle, own, tables.ownSteps(), tables.middleSteps(), records);
  }

  /** The stream of a table that the parent has as well; null if it must be written. */
  private @Nullable StreamRef old(Layer layer, @Nullable Manifest parent) throws StoreException {
    if (layer.isEmpty()) {
      return StreamRef.EMPTY;
    }
    if (parent != null) {
      for (StreamRef table : List.of(parent.keyframe(), parent.middle())) {
        if (!table.isEmpty() && sameObject(loader.layer(table), layer)) {
          return table;
        }
      }
    }
    return null;
  }

  /** Layers are shared, not compared: they can be large. A false no costs a table that is found. */
  @SuppressWarnings("ReferenceEquality")
  private static boolean sameObject(Layer one, Layer other) {
    return one == other;
  }

  private static List<Piece> cut(Layer layer, Pieces to) throws StoreException {
    if (layer.isEmpty()) {
      return List.of();
    }
    List<Piece> pieces = StreamCutter.cut(ChunkType.TABLE, TableFormat.encode(layer));
    for (Piece piece : pieces) {
      to.add(piece);
    }
    return pieces;
  }

  private StreamRef kept(Layer layer, List<Piece> pieces) {
    StreamRef table = Pieces.stream(pieces);
    if (!table.isEmpty()) {
      loader.keep(table, layer);
    }
    return table;
  }

  private static Bytes digest(List<StreamRef> streams) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (StreamRef stream : streams) {
        digest.update(Bytes.of(Long.toString(stream.bytes()) + ";").buffer());
        for (ChunkId id : stream.chunks()) {
          digest.update(id.toArray());
        }
      }
      return Bytes.of(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new LinkageError("every Java platform has SHA-256", e);
    }
  }
}
