package io.deltabox.snapshot;

import io.deltabox.snapshot.format.KeySource;
import io.deltabox.snapshot.format.Protection;
import io.deltabox.snapshot.format.StoreFormat;
import io.deltabox.snapshot.read.ChunkLoader;
import io.deltabox.snapshot.read.Codecs;
import io.deltabox.snapshot.read.Manifests;
import io.deltabox.snapshot.read.StoredReader;
import io.deltabox.snapshot.table.Manifest;
import io.deltabox.snapshot.table.ManifestFormat;
import io.deltabox.snapshot.write.Ingest;
import io.deltabox.snapshot.write.StoredWriter;
import io.deltabox.store.CommitResult;
import io.deltabox.store.Durability;
import io.deltabox.store.HotStore;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.Space;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreMissingException;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Snapshots in a hot store. Thread-safe: writers of different snapshots work beside each other, and
 * readers beside all; a sweep waits for a moment without writers.
 */
public final class SnapshotStore implements AutoCloseable {
  private final HotStore hot;
  private final StoreFormat format;
  private final Codecs codecs;
  private final ChunkLoader loader;
  private final Manifests manifests;
  private final ExecutorService encoders;
  private final Ingest ingest;
  private final Gate gate = new Gate();

  private SnapshotStore(HotStore hot, StoreFormat format, SnapshotOptions options) {
    this.hot = hot;
    this.format = format;
    this.codecs = new Codecs(format.domain());
    this.loader = new ChunkLoader(hot.chunks(), codecs, options.cacheBytesMax());
    this.manifests = new Manifests(hot.records(), codecs, loader);
    AtomicInteger number = new AtomicInteger();
    this.encoders =
        Executors.newFixedThreadPool(
            options.encoders(),
            work -> {
              Thread thread = new Thread(work, "snapshot-encoder-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    this.ingest =
        new Ingest(hot, codecs, encoders, options.unsavedBytesMax(), options.cacheBytesMax());
  }

  /**
   * Opens a store of snapshots, or makes an empty hot store one.
   *
   * @param hot taken over: closed with this, also if this fails
   * @param protection of a store that is made; one that is there keeps its own
   * @throws io.deltabox.snapshot.format.KeyException if the key is not the store's, or is missing
   * @throws io.deltabox.store.StoreFormatException if a newer program made it
   */
  public static SnapshotStore open(
      HotStore hot, KeySource keys, Protection protection, SnapshotOptions options)
      throws StoreException {
    try {
      StoreFormat format = StoreFormat.open(hot.records(), keys, protection, new SecureRandom());
      return new SnapshotStore(hot, format, options);
    } catch (StoreException | RuntimeException e) {
      try {
        hot.close();
      } catch (StoreException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
  }

  /**
   * Begins a snapshot; waits while a sweep runs. If its parent is not in the store, what follows is
   * complete, and the parent is its lineage only.
   *
   * @return to be closed, committed or not
   */
  public SnapshotWriter begin(SnapshotSpec spec) throws IOException {
    format.require(StoreFormat.Access.WRITE);
    gate.enter();
    try {
      UUID parent = spec.parent();
      Manifest found = parent == null ? null : manifests.find(parent).orElse(null);
      return new StoredWriter(spec, hot, manifests, loader, ingest, found, gate::leave);
    } catch (StoreException | RuntimeException e) {
      gate.leave();
      throw e;
    }
  }

  public boolean has(UUID id) throws StoreException {
    return manifests.has(id);
  }

  public Optional<SnapshotInfo> find(UUID id) throws StoreException {
    return manifests.find(id).map(Manifest::info);
  }

  /**
   * All snapshots, in no particular order.
   *
   * @throws io.deltabox.store.StoreCorruptException if a manifest is damaged
   */
  public List<SnapshotInfo> list() throws StoreException {
    List<SnapshotInfo> infos = new ArrayList<>();
    for (UUID id : manifests.ids()) {
      find(id).ifPresent(infos::add);
    }
    return infos;
  }

  /**
   * A reader of a snapshot.
   *
   * @throws StoreMissingException if it is not there
   */
  public SnapshotReader read(UUID id) throws StoreException {
    Manifest manifest =
        manifests
            .find(id)
            .orElseThrow(() -> new StoreMissingException("no such snapshot: snapshot=" + id));
    return new StoredReader(manifest, manifests, loader);
  }

  /**
   * Deletes a snapshot, durably; one that is not there is passed over. Others stay whole, its
   * children among them. Its chunks stay until a sweep.
   *
   * @param also changed in the same step
   * @return a conflict if a condition of {@code also} does not hold; nothing is deleted then
   */
  public CommitResult delete(UUID id, RecordBatch also) throws StoreException {
    return hot.records()
        .commit(also.delete(Space.MANIFEST, ManifestFormat.key(id)), Durability.SYNC);
  }

  public void delete(UUID id) throws StoreException {
    delete(id, new RecordBatch());
  }

  /** Makes all snapshots that were committed durable. */
  public void sync() throws StoreException {
    hot.records().commit(new RecordBatch(), Durability.SYNC);
  }

  /** Reads and checks everything that any snapshot needs, and the store below. */
  public VerifyReport verify() throws StoreException {
    return new Verification(hot, manifests, loader).run();
  }

  /**
   * Removes chunks that no snapshot needs. Waits for a moment without writers; those that begin
   * meanwhile wait for it. Readers of snapshots that were deleted may find them gone.
   *
   * @throws StoreException if anything of any snapshot cannot be read; nothing was removed then
   */
  public SweepReport sweep() throws IOException {
    format.require(StoreFormat.Access.COLLECT);
    gate.enterAlone();
    try {
      return new Sweeper(hot, manifests).sweep();
    } finally {
      loader.forget();
      ingest.forget();
      gate.leaveAlone();
    }
  }

  /** Closes the hot store. Writers must be closed before. */
  @Override
  public void close() throws StoreException {
    encoders.shutdown();
    codecs.close();
    hot.close();
  }
}
