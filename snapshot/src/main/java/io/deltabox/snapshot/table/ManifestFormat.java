package io.deltabox.snapshot.table;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.deltabox.snapshot.SnapshotInfo;
import io.deltabox.snapshot.SnapshotSpec;
import io.deltabox.snapshot.table.proto.Attribute;
import io.deltabox.snapshot.table.proto.Summary;
import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import io.deltabox.store.StoreCorruptException;
import java.nio.ByteBuffer;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/**
 * The plain form of a manifest, a {@code Manifest} of snapshot.proto, and of what says which chunks
 * a chunk needs.
 */
public final class ManifestFormat {
  /** Of a digest. */
  private static final int DIGEST_BYTES = 32;

  private static final int ID_BYTES = 16;

  private ManifestFormat() {}

  /** The key of a snapshot's manifest. */
  public static Bytes key(UUID id) {
    return Bytes.of(bytes(id).toByteArray());
  }

  /**
   * The snapshot of a key.
   *
   * @throws StoreCorruptException if it is none
   */
  public static UUID id(Bytes key) throws StoreCorruptException {
    if (key.length() != ID_BYTES) {
      throw new StoreCorruptException("not the key of a snapshot: key=" + key);
    }
    ByteBuffer bytes = key.buffer();
    return new UUID(bytes.getLong(), bytes.getLong());
  }

  public static byte[] encode(Manifest manifest) {
    SnapshotInfo info = manifest.info();
    SnapshotSpec spec = info.spec();
    Instant time = spec.time();
    io.deltabox.snapshot.table.proto.Manifest.Builder stored =
        io.deltabox.snapshot.table.proto.Manifest.newBuilder()
            .setId(bytes(spec.id()))
            .setSeconds(time.getEpochSecond())
            .setNanos(time.getNano())
            .setKeyframe(StreamRefs.encode(manifest.keyframe()))
            .setMiddle(StreamRefs.encode(manifest.middle()))
            .setOwn(StreamRefs.encode(manifest.own()))
            .setOwnSteps(manifest.ownSteps())
            .setMiddleSteps(manifest.middleSteps())
            .setRecords(StreamRefs.encode(manifest.records()))
            .setDigest(ByteString.copyFrom(info.digest().buffer()))
            .setPages(info.pages())
            .setFiles(info.files())
            .setContentBytes(info.contentBytes())
            .setDeltaBytes(info.deltaBytes())
            .setStoredBytes(info.storedBytes())
            .setMetadataBytes(info.metadataBytes());
    UUID parent = spec.parent();
    if (parent != null) {
      stored.setParent(bytes(parent));
    }
    for (Map.Entry<String, String> entry : spec.attributes().entrySet()) {
      stored.addAttributes(
          Attribute.newBuilder().setName(entry.getKey()).setValue(entry.getValue()));
    }
    return stored.build().toByteArray();
  }

  /**
   * @throws StoreCorruptException if it is no manifest, or that of another snapshot
   */
  public static Manifest decode(UUID id, byte[] bytes) throws StoreCorruptException {
    try {
      Manifest manifest = decode(io.deltabox.snapshot.table.proto.Manifest.parseFrom(bytes));
      if (!manifest.info().id().equals(id)) {
        throw new StoreCorruptException(
            "manifest of another snapshot: id=" + id + " found=" + manifest.info().id());
      }
      return manifest;
    } catch (InvalidProtocolBufferException | IllegalArgumentException | DateTimeException e) {
      throw new StoreCorruptException("not a manifest: id=" + id + " bytes=" + bytes.length, e);
    }
  }

  private static Manifest decode(io.deltabox.snapshot.table.proto.Manifest stored) {
    Map<String, String> attributes = new TreeMap<>();
    for (Attribute attribute : stored.getAttributesList()) {
      attributes.put(attribute.getName(), attribute.getValue());
    }
    SnapshotSpec spec =
        new SnapshotSpec(
            id(stored.getId()),
            stored.getParent().isEmpty() ? null : id(stored.getParent()),
            Instant.ofEpochSecond(stored.getSeconds(), stored.getNanos()),
            attributes);
    if (stored.getDigest().size() != DIGEST_BYTES) {
      throw new IllegalArgumentException("impossible digest: bytes=" + stored.getDigest().size());
    }
    SnapshotInfo info =
        new SnapshotInfo(
            spec,
            Bytes.of(stored.getDigest().asReadOnlyByteBuffer()),
            stored.getPages(),
            stored.getFiles(),
            stored.getContentBytes(),
            stored.getDeltaBytes(),
            stored.getStoredBytes(),
            stored.getMetadataBytes());
    return new Manifest(
        info,
        StreamRefs.decode(stored.getKeyframe()),
        StreamRefs.decode(stored.getMiddle()),
        StreamRefs.decode(stored.getOwn()),
        stored.getOwnSteps(),
        stored.getMiddleSteps(),
        StreamRefs.decode(stored.getRecords()));
  }

  private static ByteString bytes(UUID id) {
    ByteBuffer bytes = ByteBuffer.allocate(ID_BYTES);
    bytes.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
    return ByteString.copyFrom(bytes.flip());
  }

  private static UUID id(ByteString bytes) {
    if (bytes.size() != ID_BYTES) {
      throw new IllegalArgumentException("impossible id: bytes=" + bytes.size());
    }
    ByteBuffer buffer = bytes.asReadOnlyByteBuffer();
    return new UUID(buffer.getLong(), buffer.getLong());
  }

  /** The value of a summary: the chunks that one needs to be decoded. */
  public static Bytes summary(Collection<ChunkId> bases) {
    return Bytes.of(Summary.newBuilder().setBases(StreamRefs.bytes(bases)).build().toByteArray());
  }

  /**
   * @throws StoreCorruptException if it is no summary
   */
  public static List<ChunkId> bases(ChunkId of, Bytes summary) throws StoreCorruptException {
    try {
      return StreamRefs.ids(Summary.parseFrom(summary.buffer()).getBases());
    } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
      throw new StoreCorruptException("not a summary: chunk=" + of, e);
    }
  }
}
