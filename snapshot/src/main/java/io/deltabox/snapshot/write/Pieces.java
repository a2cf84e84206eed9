package io.deltabox.snapshot.write;

import io.deltabox.snapshot.table.StreamRef;
import io.deltabox.store.ChunkId;
import io.deltabox.store.StoreException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** The chunks of one writer: handed to encoders in batches of about 1 MiB. For one thread. */
final class Pieces {
  private static final long BATCH_BYTES = 1 << 20;

  /** So that a batch of small pieces is bounded as well: their stored forms are at most 16 MiB. */
  private static final int BATCH_COUNT = 32;

  private final Ingest ingest;
  private final List<CompletableFuture<Void>> running = new ArrayList<>();
  private List<Piece> batch = new ArrayList<>();
  private List<Piece> sent = new ArrayList<>();
  private long batchBytes;
  private long bytesStored;
  private long bytesDeduplicated;

  Pieces(Ingest ingest) {
    this.ingest = ingest;
  }

  void add(Piece piece) throws StoreException {
    batch.add(piece);
    batchBytes += piece.bytes();
    if (batchBytes >= BATCH_BYTES || batch.size() >= BATCH_COUNT) {
      send();
    }
  }

  private void send() throws StoreException {
    if (batch.isEmpty()) {
      return;
    }
    try {
      running.add(ingest.submit(batch));
    } catch (InterruptedIOException e) {
      throw new StoreException("interrupted while writing a snapshot", e);
    }
    sent.addAll(batch);
    batch = new ArrayList<>();
    batchBytes = 0;
  }

  /** Waits until all are written. */
  void await() throws StoreException {
    send();
    for (CompletableFuture<Void> one : running) {
      try {
        one.join();
      } catch (CompletionException e) {
        throw failure(e);
      }
    }
    running.clear();
    for (Piece piece : sent) {
      bytesStored += piece.storedBytes();
      bytesDeduplicated += piece.deduplicated() ? piece.bytes() : 0;
    }
    sent = new ArrayList<>();
  }

  private static StoreException failure(CompletionException e) {
    Throwable cause = e.getCause();
    if (cause instanceof StoreException failure) {
      return failure;
    }
    return new StoreException("chunks could not be written", cause == null ? e : cause);
  }

  /** Waits until nothing runs any more, however it ends. */
  void settle() {
    for (CompletableFuture<Void> one : running) {
      one.handle((done, failure) -> true).join();
    }
    running.clear();
  }

  long bytesStored() {
    return bytesStored;
  }

  long bytesDeduplicated() {
    return bytesDeduplicated;
  }

  static StreamRef stream(List<Piece> pieces) {
    List<ChunkId> ids = new ArrayList<>();
    long bytes = 0;
    for (Piece piece : pieces) {
      ids.add(piece.id());
      bytes += piece.bytes();
    }
    return new StreamRef(ids, bytes);
  }
}
