package io.deltabox.snapshot.format;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import javax.crypto.Mac;

/**
 * The keys of a store, all derived from one master key. Immutable, safe for use by many threads.
 * Never printed.
 */
public final class Domain {
  private static final byte[] SALT = "deltabox domain 1".getBytes(US_ASCII);

  private final DomainId id;
  private final Protection protection;
  private final Hkdf keys;
  private final byte[] idKey;
  private final byte[] contentKey;

  public Domain(MasterKey master, Protection protection) {
    this.protection = protection;
    this.keys = new Hkdf(SALT, master.toArray());
    this.id = DomainId.read(ByteBuffer.wrap(keys.derive("domain id", DomainId.BYTES)));
    this.idKey = keys.derive("id key", MasterKey.BYTES);
    this.contentKey =
        switch (protection) {
          case ENCRYPTED -> keys.derive("data key", MasterKey.BYTES);
          case AUTHENTICATED_ONLY -> keys.derive("authentication key", MasterKey.BYTES);
        };
  }

  public DomainId id() {
    return id;
  }

  public Protection protection() {
    return protection;
  }

  /**
   * A key for a use that the format has no key for.
   *
   * @param label in ASCII; names the use
   * @return 32 bytes
   */
  public byte[] key(String label) {
    return keys.derive("use " + label, MasterKey.BYTES);
  }

  /** The function that gives chunks their ids. */
  Mac idMac() {
    return Hkdf.mac(idKey);
  }

  /** The function that gives each stored form the key it is sealed with. */
  Mac contentKeyMac() {
    return Hkdf.mac(contentKey);
  }

  /** The function that seals the record of the format. */
  Mac formatMac() {
    return Hkdf.mac(keys.derive("format key", MasterKey.BYTES));
  }

  @Override
  public String toString() {
    return "Domain[" + id + "]";
  }
}
