package io.deltabox.snapshot.write;

import io.deltabox.snapshot.format.ChunkCodec;
import io.deltabox.snapshot.format.ChunkType;
import io.deltabox.snapshot.format.PageBases;
import io.deltabox.snapshot.read.Codecs;
import io.deltabox.snapshot.table.ManifestFormat;
import io.deltabox.store.Bytes;
import io.deltabox.store.Chunk;
import io.deltabox.store.ChunkId;
import io.deltabox.store.Durability;
import io.deltabox.store.HotStore;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.Space;
import io.deltabox.store.StoreException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;

/**
 * Names chunks, drops those the store has, encodes and writes the others, a batch at a time on
 * other threads, with a bound on what waits. Thread-safe.
 *
 * <p>Which chunks a chunk was encoded against is committed before the chunk is written: a chunk
 * that is there is never there without it, even after a crash, so whoever finds a chunk need not
 * look into it.
 */
public final class Ingest {
  private static final int PERMIT_BYTES = 1024;

  private final HotStore hot;
  private final Codecs codecs;
  private final Executor encoders;
  private final Predecessors predecessors;
  private final Claims claims = new Claims();
  private final int permitsMax;
  private final Semaphore room;

  /**
   * @param unsavedBytesMax plain bytes that may wait
   * @param predecessorBytesMax memory for what pages can be encoded against
   */
  public Ingest(
      HotStore hot,
      Codecs codecs,
      Executor encoders,
      long unsavedBytesMax,
      long predecessorBytesMax) {
    this.hot = hot;
    this.codecs = codecs;
    this.encoders = encoders;
    this.predecessors = new Predecessors(predecessorBytesMax);
    this.permitsMax = (int) Math.min(Integer.MAX_VALUE, unsavedBytesMax / PERMIT_BYTES);
    this.room = new Semaphore(permitsMax);
  }

  Predecessors predecessors() {
    return predecessors;
  }

  /** Forgets what it knows of chunks, because some were removed. */
  public void forget() {
    predecessors.forget();
  }

  /** Waits for room, then has the pieces written. The future fails as the work does. */
  CompletableFuture<Void> submit(List<Piece> batch) throws InterruptedIOException {
    int permits = permits(batch);
    try {
      room.acquire(permits);
    } catch (InterruptedException e) {
      throw interrupted();
    }
    return CompletableFuture.runAsync(
        () -> {
          try {
            write(batch);
          } catch (StoreException | InterruptedIOException e) {
            throw new CompletionException(e);
          } finally {
            batch.forEach(Piece::release);
            room.release(permits);
          }
        },
        encoders);
  }

  private int permits(List<Piece> batch) {
    long bytes = 0;
    for (Piece piece : batch) {
      bytes += piece.bytes();
    }
    return (int) Math.min(permitsMax, bytes / PERMIT_BYTES + 1);
  }

  private static InterruptedIOException interrupted() {
    Thread.currentThread().interrupt();
    return new InterruptedIOException("interrupted while writing a snapshot");
  }

  private void write(List<Piece> batch) throws StoreException, InterruptedIOException {
    try (Codecs.Use use = codecs.use()) {
      Map<ChunkId, Piece> pieces = new LinkedHashMap<>();
      for (Piece piece : batch) {
        piece.named(use.codec().id(piece.type, piece.plain()));
        if (pieces.putIfAbsent(piece.id(), piece) != null) {
          piece.found();
        }
      }
      claims.claim(pieces.keySet());
      try {
        Set<ChunkId> there = hot.chunks().has(pieces.keySet());
        for (Piece piece : pieces.values()) {
          if (there.contains(piece.id())) {
            piece.found();
          }
        }
        pieces.values().removeIf(Piece::deduplicated);
        store(use, List.copyOf(pieces.values()));
      } finally {
        List<ChunkId> claimed = new ArrayList<>();
        batch.forEach(piece -> claimed.add(piece.id()));
        claims.release(claimed);
      }
    } catch (InterruptedException e) {
      throw interrupted();
    }
  }

  private void store(Codecs.Use use, List<Piece> pieces) throws StoreException {
    if (pieces.isEmpty()) {
      return;
    }
    ByteBuffer forms = ByteBuffer.allocateDirect(pieces.size() * ChunkCodec.STORED_BYTES_MAX);
    RecordBatch summaries = new RecordBatch();
    List<Chunk> chunks = new ArrayList<>();
    List<Piece> based = new ArrayList<>();
    for (Piece piece : pieces) {
      int from = forms.position();
      if (encode(use, piece, forms)) {
        based.add(piece);
      }
      ByteBuffer form = forms.slice(from, forms.position() - from);
      piece.stored(form.remaining());
      chunks.add(new Chunk(piece.id(), form));
      if (based.contains(piece)) {
        Bytes bases = ManifestFormat.summary(ChunkCodec.bases(piece.id(), form));
        summaries.put(Space.SUMMARY, Bytes.of(piece.id().toArray()), bases);
      }
    }
    if (!summaries.changes().isEmpty()) {
      hot.records().commit(summaries, Durability.BUFFERED);
    }
    hot.chunks().write(chunks);
    for (Piece piece : pieces) {
      if (piece.type == ChunkType.PAGES && based.contains(piece)) {
        predecessors.wroteBased(piece.id(), piece.bases());
      } else if (piece.type == ChunkType.PAGES) {
        predecessors.wrotePlain(piece.id(), piece.plain());
      }
    }
  }

  private static boolean encode(Codecs.Use use, Piece piece, ByteBuffer to) {
    PageBases bases = use.bases().clear();
    for (Predecessors.Base base : piece.bases()) {
      if (base == null) {
        bases.none();
      } else {
        bases.page(base.place().chunk(), base.place().page(), base.bytes());
      }
    }
    return use.codec()
        .encode(piece.type, piece.id(), piece.plain(), bases.isEmpty() ? null : bases, to);
  }
}
