package io.deltabox.snapshot.format;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static java.nio.charset.StandardCharsets.US_ASCII;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.deltabox.snapshot.format.proto.StoreFormatBody;
import io.deltabox.store.Bytes;
import io.deltabox.store.CommitResult;
import io.deltabox.store.Durability;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.RecordRange;
import io.deltabox.store.RecordStore;
import io.deltabox.store.Space;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreFormatException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.zip.CRC32C;
import javax.crypto.Mac;
import org.jspecify.annotations.Nullable;

/**
 * What a store is: its format, its features, its domain. The record {@code format} in {@link
 * Space#META}, made with the store:
 *
 * <pre>
 * magic "DBXSTORE" | version u16 | body length u32 | body | MAC 32 | CRC32C u32
 * </pre>
 *
 * The body is the protocol buffer {@code StoreFormatBody}; the MAC covers all before it under a key
 * of the domain, the CRC all before it. The CRC is looked at first, so that damage is told from a
 * wrong key.
 *
 * <p>Immutable, safe for use by many threads.
 */
public final class StoreFormat {
  /** What this program writes, and the newest that it reads. */
  public static final int VERSION = 1;

  static final Bytes KEY = Bytes.of("format");
  static final byte[] MAGIC = "DBXSTORE".getBytes(US_ASCII);
  private static final int HEAD_BYTES = 8 + 2 + 4;
  private static final int MAC_BYTES = 32;
  private static final int BODY_BYTES_MAX = 64 << 10;

  /** Features beyond version 1 that this program knows. */
  private static final List<String> KNOWN = List.of();

  private final Domain domain;
  private final StoreFormatBody body;

  private StoreFormat(Domain domain, StoreFormatBody body) {
    this.domain = domain;
    this.body = body;
  }

  /** What somebody wants to do with a store. */
  public enum Access {
    READ,
    WRITE,
    /** Remove what nothing leads to. */
    COLLECT
  }

  /**
   * Finds out what a store is, or makes an empty one such a store. The key file is made on that
   * occasion only.
   *
   * @param protection of a store that is made; one that is there keeps its own
   * @throws KeyException if the key is not the store's, or is missing
   * @throws StoreFormatException if a newer program made it, or it has features that reading needs
   *     and this one does not know
   * @throws StoreCorruptException if the record is damaged, or missing in a store with content
   */
  public static StoreFormat open(
      RecordStore records, KeySource keys, Protection protection, SecureRandom random)
      throws StoreException {
    Optional<Bytes> record = records.get(Space.META, KEY);
    if (record.isEmpty()) {
      checkEmpty(records);
      Bytes made = make(keys, protection, random);
      RecordBatch batch =
          new RecordBatch().put(Space.META, KEY, made).expectAbsent(Space.META, KEY);
      CommitResult result = records.commit(batch, Durability.SYNC);
      if (result instanceof CommitResult.Conflict other) {
        // Another thread was first.
        return read(other.found().orElse(made), keys);
      }
      return read(made, keys);
    }
    return read(record.get(), keys);
  }

  /** The keys. */
  public Domain domain() {
    return domain;
  }

  /**
   * Does nothing if this program may do that.
   *
   * @throws StoreFormatException if the store has features that it must know for it; the message
   *     names them
   */
  public void require(Access access) throws StoreFormatException {
    TreeSet<String> unknown = new TreeSet<>();
    switch (access) {
      case READ -> unknown.addAll(body.getReadFeaturesList());
      case WRITE -> {
        unknown.addAll(body.getReadFeaturesList());
        unknown.addAll(body.getWriteFeaturesList());
      }
      case COLLECT -> {
        unknown.addAll(body.getReadFeaturesList());
        unknown.addAll(body.getWriteFeaturesList());
        unknown.addAll(body.getCollectFeaturesList());
      }
    }
    unknown.removeAll(KNOWN);
    if (!unknown.isEmpty()) {
      throw new StoreFormatException(
          "the store has features that this program does not know; use a newer one: operation="
              + access.name().toLowerCase(Locale.ROOT)
              + " features="
              + unknown);
    }
  }

  private static Bytes make(KeySource keys, Protection protection, SecureRandom random)
      throws StoreException {
    StoreFormatBody.Builder body = StoreFormatBody.newBuilder();
    MasterKey master;
    if (keys instanceof KeySource.InFile file) {
      KeyFile keyFile = new KeyFile(file.path());
      MasterKey found = keyFile.read();
      master = found != null ? found : keyFile.make(random);
    } else if (keys instanceof KeySource.Given given) {
      master = given.key();
    } else {
      master = MasterKey.random(random);
      body.setWrappedKey(
          WrappedKeys.wrap(master, ((KeySource.ByPassphrase) keys).passphrase(), random));
    }
    Domain domain = new Domain(master, protection);
    ByteBuffer id = ByteBuffer.allocate(DomainId.BYTES);
    domain.id().write(id);
    body.setDomainId(ByteString.copyFrom(id.flip()));
    body.setProtection(
        switch (protection) {
          case ENCRYPTED -> io.deltabox.snapshot.format.proto.Protection.ENCRYPTED;
          case AUTHENTICATED_ONLY ->
              io.deltabox.snapshot.format.proto.Protection.AUTHENTICATED_ONLY;
        });
    return seal(body.build(), domain);
  }

  /** The record of a body. */
  static Bytes seal(StoreFormatBody body, Domain domain) {
    byte[] bytes = body.toByteArray();
    ByteBuffer record =
        ByteBuffer.allocate(HEAD_BYTES + bytes.length + MAC_BYTES + 4).order(LITTLE_ENDIAN);
    record.put(MAGIC).putShort((short) VERSION).putInt(bytes.length).put(bytes);
    Mac mac = domain.formatMac();
    mac.update(record.array(), 0, record.position());
    record.put(mac.doFinal());
    record.putInt(sum(record.array(), record.position()));
    return Bytes.of(record.flip());
  }

  static StoreFormat read(Bytes record, KeySource keys) throws StoreException {
    byte[] bytes = record.toArray();
    StoreFormatBody body = body(bytes);
    Protection protection =
        switch (body.getProtection()) {
          case ENCRYPTED -> Protection.ENCRYPTED;
          case AUTHENTICATED_ONLY -> Protection.AUTHENTICATED_ONLY;
          case PROTECTION_UNSPECIFIED, UNRECOGNIZED ->
              throw new StoreFormatException(
                  "the store is protected in a way that this program does not know; use a newer one:"
                      + " protection="
                      + body.getProtectionValue());
        };
    if (body.getDomainId().size() != DomainId.BYTES) {
      throw damaged("domain id of " + body.getDomainId().size() + " bytes");
    }
    DomainId id = DomainId.read(body.getDomainId().asReadOnlyByteBuffer());
    Domain domain = new Domain(key(keys, body, id), protection);
    if (!domain.id().equals(id)) {
      throw new KeyException(
          "the key belongs to another store; use the key that was made with this one: key="
              + told(keys)
              + " domain-of-key="
              + domain.id()
              + " domain-of-store="
              + id);
    }
    Mac mac = domain.formatMac();
    int end = bytes.length - MAC_BYTES - 4;
    mac.update(bytes, 0, end);
    if (!MessageDigest.isEqual(mac.doFinal(), Arrays.copyOfRange(bytes, end, end + MAC_BYTES))) {
      throw new StoreCorruptException(
          "format of the store was changed by somebody without its key: domain=" + id);
    }
    StoreFormat format = new StoreFormat(domain, body);
    format.require(Access.READ);
    return format;
  }

  private static StoreFormatBody body(byte[] bytes) throws StoreException {
    if (bytes.length < HEAD_BYTES || !Arrays.equals(bytes, 0, 8, MAGIC, 0, 8)) {
      throw new StoreFormatException(
          "not a store of snapshots: the record of its format begins otherwise: bytes="
              + bytes.length);
    }
    ByteBuffer head = ByteBuffer.wrap(bytes).order(LITTLE_ENDIAN).position(8);
    int version = head.getShort() & 0xffff;
    if (version > VERSION) {
      throw new StoreFormatException(
          "the store was made by a newer program; use that or a newer one: version="
              + version
              + " known="
              + VERSION);
    }
    int length = head.getInt();
    if (version == 0 || length < 0 || length > BODY_BYTES_MAX) {
      throw damaged("version " + version + " and a body of " + length + " bytes");
    }
    if (bytes.length != HEAD_BYTES + length + MAC_BYTES + 4) {
      throw damaged(bytes.length + " bytes with a body of " + length);
    }
    if (sum(bytes, bytes.length - 4) != head.getInt(bytes.length - 4)) {
      throw damaged("a wrong checksum");
    }
    try {
      return StoreFormatBody.parseFrom(ByteBuffer.wrap(bytes, HEAD_BYTES, length));
    } catch (InvalidProtocolBufferException e) {
      throw new StoreCorruptException("format of the store is damaged", e);
    }
  }

  private static MasterKey key(KeySource keys, StoreFormatBody body, DomainId id)
      throws StoreException {
    if (keys instanceof KeySource.Given given) {
      return given.key();
    }
    if (keys instanceof KeySource.ByPassphrase by) {
      if (!body.hasWrappedKey()) {
        throw new KeyException("the store has a key file and no passphrase: domain=" + id);
      }
      return WrappedKeys.unwrap(body.getWrappedKey(), by.passphrase());
    }
    KeySource.InFile file = (KeySource.InFile) keys;
    @Nullable MasterKey found = new KeyFile(file.path()).read();
    if (found != null) {
      return found;
    }
    if (body.hasWrappedKey()) {
      throw new KeyException(
          "the store is opened by a passphrase, and there is no key file: domain=" + id);
    }
    throw new KeyException(
        "key file of the store is missing; without it nothing can be read: put a copy there: path="
            + file.path()
            + " domain="
            + id);
  }

  private static String told(KeySource keys) {
    return keys instanceof KeySource.InFile file ? file.path().toString() : "given";
  }

  private static void checkEmpty(RecordStore records) throws StoreException {
    for (Space space : List.of(Space.META, Space.MANIFEST, Space.REF, Space.JOURNAL)) {
      try (RecordStore.Cursor cursor = records.scan(space, RecordRange.ALL)) {
        if (cursor.next()) {
          throw new StoreCorruptException(
              "the record of the store's format is missing, and the store is not empty: space="
                  + space
                  + " key="
                  + cursor.key());
        }
      }
    }
  }

  private static int sum(byte[] bytes, int end) {
    CRC32C sum = new CRC32C();
    sum.update(bytes, 0, end);
    return (int) sum.getValue();
  }

  private static StoreCorruptException damaged(String found) {
    return new StoreCorruptException("format of the store is damaged: found=" + found);
  }
}
