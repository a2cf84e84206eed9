package io.deltabox.snapshot.read;

import io.deltabox.snapshot.format.SealedKind;
import io.deltabox.snapshot.table.Layers;
import io.deltabox.snapshot.table.Manifest;
import io.deltabox.snapshot.table.ManifestFormat;
import io.deltabox.store.Bytes;
import io.deltabox.store.RecordRange;
import io.deltabox.store.RecordStore;
import io.deltabox.store.Space;
import io.deltabox.store.StoreException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The manifests of a store, and what they lead to. Thread-safe. */
public final class Manifests {
  private final RecordStore records;
  private final Codecs codecs;
  private final ChunkLoader loader;

  public Manifests(RecordStore records, Codecs codecs, ChunkLoader loader) {
    this.records = records;
    this.codecs = codecs;
    this.loader = loader;
  }

  /**
   * @throws io.deltabox.store.StoreCorruptException if it is damaged
   */
  public Optional<Manifest> find(UUID id) throws StoreException {
    Optional<Bytes> sealed = records.get(Space.MANIFEST, ManifestFormat.key(id));
    return sealed.isEmpty() ? Optional.empty() : Optional.of(open(id, sealed.get()));
  }

  public boolean has(UUID id) throws StoreException {
    return records.get(Space.MANIFEST, ManifestFormat.key(id)).isPresent();
  }

  private Manifest open(UUID id, Bytes sealed) throws StoreException {
    try (Codecs.Use use = codecs.use()) {
      Bytes plain = use.codec().unseal(SealedKind.MANIFEST, ManifestFormat.key(id), sealed);
      return ManifestFormat.decode(id, plain.toArray());
    }
  }

  /** The stored form of a manifest. */
  public Bytes seal(Manifest manifest) {
    try (Codecs.Use use = codecs.use()) {
      Bytes key = ManifestFormat.key(manifest.info().id());
      ByteBuffer plain = ByteBuffer.wrap(ManifestFormat.encode(manifest));
      return use.codec().seal(SealedKind.MANIFEST, key, plain);
    }
  }

  /** The snapshots that are there, damaged ones among them. */
  public List<UUID> ids() throws StoreException {
    List<UUID> ids = new ArrayList<>();
    try (RecordStore.Cursor cursor = records.scan(Space.MANIFEST, RecordRange.ALL)) {
      while (cursor.next()) {
        ids.add(ManifestFormat.id(cursor.key()));
      }
    }
    return ids;
  }

  public Layers layers(Manifest manifest) throws StoreException {
    return new Layers(
        loader.layer(manifest.keyframe()),
        loader.layer(manifest.middle()),
        loader.layer(manifest.own()));
  }
}
