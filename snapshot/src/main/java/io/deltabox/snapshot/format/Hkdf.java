package io.deltabox.snapshot.format;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.security.InvalidKeyException;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Keys from a key: HKDF with SHA-256 (RFC 5869). */
final class Hkdf {
  static final String HMAC = "HmacSHA256";
  private static final int HASH_BYTES = 32;

  private final byte[] pseudoRandomKey;

  /** Extracts. */
  Hkdf(byte[] salt, byte[] secret) {
    this.pseudoRandomKey = mac(salt).doFinal(secret);
  }

  /**
   * Expands.
   *
   * @param label in ASCII, one for each use
   * @param bytes at most 255 times 32
   */
  byte[] derive(String label, int bytes) {
    return derive(label.getBytes(US_ASCII), bytes);
  }

  byte[] derive(byte[] info, int bytes) {
    if (bytes < 1 || bytes > 255 * HASH_BYTES) {
      throw new IllegalArgumentException("too many bytes of a key: bytes=" + bytes);
    }
    Mac mac = mac(pseudoRandomKey);
    byte[] derived = new byte[(bytes + HASH_BYTES - 1) / HASH_BYTES * HASH_BYTES];
    byte[] block = new byte[0];
    for (int i = 0; i * HASH_BYTES < derived.length; i++) {
      mac.update(block);
      mac.update(info);
      block = mac.doFinal(new byte[] {(byte) (i + 1)});
      System.arraycopy(block, 0, derived, i * HASH_BYTES, HASH_BYTES);
    }
    return Arrays.copyOf(derived, bytes);
  }

  /** A function keyed once, which stays keyed over its uses; for one thread. */
  static Mac mac(byte[] key) {
    try {
      Mac mac = Mac.getInstance(HMAC);
      mac.init(new SecretKeySpec(key, HMAC));
      return mac;
    } catch (NoSuchAlgorithmException | InvalidKeyException e) {
      throw new LinkageError("every Java platform has " + HMAC, e);
    }
  }
}
