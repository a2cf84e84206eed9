package io.deltabox.snapshot.format;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import io.deltabox.snapshot.format.proto.WrappedKey;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.crypto.generators.SCrypt;

/**
 * A master key that lies in the store, under a passphrase: scrypt (RFC 7914) makes the key that
 * seals it with AES-256-GCM.
 */
final class WrappedKeys {
  private static final byte[] ASSOCIATED = "deltabox master key 1".getBytes(US_ASCII);
  private static final int SALT_BYTES = 16;
  private static final int NONCE_BYTES = 12;
  private static final int TAG_BITS = 128;
  private static final int R = 8;
  private static final int P = 1;

  /** 64 MiB and some 0.2 s for each guess. */
  private static final int LOG2_N = 16;

  /** A store can make whoever opens it use 128 * r * N bytes. */
  private static final long MEMORY_BYTES_MAX = 512L << 20;

  private WrappedKeys() {}

  static WrappedKey wrap(MasterKey master, KeySource.Passphrase passphrase, SecureRandom random)
      throws KeyException {
    byte[] salt = new byte[SALT_BYTES];
    random.nextBytes(salt);
    byte[] nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    WrappedKey.Builder wrapped =
        WrappedKey.newBuilder()
            .setScryptLog2N(LOG2_N)
            .setScryptR(R)
            .setScryptP(P)
            .setSalt(ByteString.copyFrom(salt))
            .setNonce(ByteString.copyFrom(nonce));
    byte[] key = key(passphrase, wrapped.buildPartial());
    try {
      byte[] sealed = cipher(Cipher.ENCRYPT_MODE, key, nonce).doFinal(master.toArray());
      return wrapped.setSealed(ByteString.copyFrom(sealed)).build();
    } catch (GeneralSecurityException e) {
      throw new LinkageError("AES-GCM is in every Java platform", e);
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }

  /**
   * @throws KeyException if it is another passphrase
   */
  static MasterKey unwrap(WrappedKey wrapped, KeySource.Passphrase passphrase)
      throws StoreException {
    check(wrapped);
    byte[] key = key(passphrase, wrapped);
    try {
      byte[] nonce = wrapped.getNonce().toByteArray();
      return MasterKey.of(
          cipher(Cipher.DECRYPT_MODE, key, nonce).doFinal(wrapped.getSealed().toByteArray()));
    } catch (AEADBadTagException e) {
      throw new KeyException("not the passphrase of this store; try again", e);
    } catch (GeneralSecurityException e) {
      throw new LinkageError("AES-GCM is in every Java platform", e);
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }

  private static void check(WrappedKey wrapped) throws StoreCorruptException {
    int log2n = wrapped.getScryptLog2N();
    int r = wrapped.getScryptR();
    int p = wrapped.getScryptP();
    boolean bounded = log2n >= 10 && log2n <= 24 && r >= 1 && r <= 64 && p >= 1 && p <= 16;
    if (!bounded
        || 128L * r * (1L << log2n) > MEMORY_BYTES_MAX
        || wrapped.getSalt().size() < SALT_BYTES
        || wrapped.getSalt().size() > 64
        || wrapped.getNonce().size() != NONCE_BYTES
        || wrapped.getSealed().size() != MasterKey.BYTES + TAG_BITS / 8) {
      throw new StoreCorruptException(
          "wrapped key of the store is out of bounds: log2n=" + log2n + " r=" + r + " p=" + p);
    }
  }

  private static byte[] key(KeySource.Passphrase passphrase, WrappedKey wrapped)
      throws KeyException {
    char[] chars = passphrase.get();
    if (chars.length == 0) {
      throw new KeyException("the passphrase of a store must not be empty");
    }
    ByteBuffer bytes = UTF_8.encode(CharBuffer.wrap(chars));
    byte[] secret = new byte[bytes.remaining()];
    bytes.get(secret);
    try {
      return SCrypt.generate(
          secret,
          wrapped.getSalt().toByteArray(),
          1 << wrapped.getScryptLog2N(),
          wrapped.getScryptR(),
          wrapped.getScryptP(),
          MasterKey.BYTES);
    } finally {
      Arrays.fill(chars, '\0');
      Arrays.fill(secret, (byte) 0);
      bytes.clear().put(new byte[bytes.capacity()]);
    }
  }

  private static Cipher cipher(int mode, byte[] key, byte[] nonce) throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(TAG_BITS, nonce));
    cipher.updateAAD(ASSOCIATED);
    return cipher;
  }
}
