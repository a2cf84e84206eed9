package io.deltabox.snapshot.format;

import io.deltabox.store.ChunkId;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Seals frames with AES-256-GCM. Each stored form has a key of its own, made of its id and a random
 * salt: then the number of a frame is a nonce that is never used twice, however often the same
 * chunk is encoded in whatever ways. The header is associated data. Where nothing is to be
 * encrypted the frame is associated data too, and only the tag is made.
 *
 * <p>A call never takes more than a frame of 64 KiB: far longer ones can leave the JDK's fast path
 * for good. Arrays, because that path copies from direct buffers in small pieces.
 */
final class FrameCipher {
  private static final int TAG_BITS = 8 * ChunkHeader.TAG_BYTES;
  private static final int NONCE_BYTES = 12;

  private final Mac keys;
  private final boolean encrypts;
  private final Cipher cipher;
  private final byte[] input = new byte[ChunkCodec.FRAME_BYTES + ChunkHeader.TAG_BYTES];
  private final byte[] output = new byte[ChunkCodec.FRAME_BYTES + ChunkHeader.TAG_BYTES];
  private final byte[] nonce = new byte[NONCE_BYTES];
  private final byte[] name = new byte[ChunkId.BYTES + ChunkHeader.SALT_BYTES];
  private byte[] header = new byte[256];
  private int headerBytes;
  private SecretKey key = new SecretKeySpec(new byte[MasterKey.BYTES], "AES");

  FrameCipher(Domain domain) {
    this.keys = domain.contentKeyMac();
    this.encrypts = domain.protection() == Protection.ENCRYPTED;
    try {
      this.cipher = Cipher.getInstance("AES/GCM/NoPadding");
    } catch (GeneralSecurityException e) {
      throw noGcm(e);
    }
  }

  /**
   * Begins with a stored form.
   *
   * @param form from its first byte on, with salt and all else of its header
   */
  void begin(ChunkId id, ByteBuffer form, int length) {
    ByteBuffer to = ByteBuffer.wrap(name);
    id.write(to);
    form.get(form.position() + ChunkHeader.SALT_AT, name, ChunkId.BYTES, ChunkHeader.SALT_BYTES);
    key = new SecretKeySpec(keys.doFinal(name), "AES");
    if (header.length < length) {
      header = new byte[length];
    }
    form.get(form.position(), header, 0, length);
    headerBytes = length;
  }

  /** Writes a frame with its tag at a buffer's position. */
  void seal(int frame, ByteBuffer from, int at, int length, ByteBuffer to) {
    try {
      from.get(at, input, 0, length);
      start(Cipher.ENCRYPT_MODE, frame);
      if (encrypts) {
        to.put(output, 0, cipher.doFinal(input, 0, length, output, 0));
      } else {
        cipher.updateAAD(input, 0, length);
        int tag = cipher.doFinal(output, 0);
        to.put(input, 0, length).put(output, 0, tag);
      }
    } catch (GeneralSecurityException e) {
      throw noGcm(e);
    }
  }

  /**
   * Writes the bytes of a frame at a buffer's position.
   *
   * @return false if they are not what was sealed; nothing is written then
   */
  boolean open(int frame, ByteBuffer from, int at, int length, ByteBuffer to) {
    try {
      from.get(at, input, 0, length + ChunkHeader.TAG_BYTES);
      start(Cipher.DECRYPT_MODE, frame);
      if (encrypts) {
        to.put(output, 0, cipher.doFinal(input, 0, length + ChunkHeader.TAG_BYTES, output, 0));
      } else {
        cipher.updateAAD(input, 0, length);
        cipher.doFinal(input, length, ChunkHeader.TAG_BYTES, output, 0);
        to.put(input, 0, length);
      }
      return true;
    } catch (AEADBadTagException e) {
      return false;
    } catch (GeneralSecurityException e) {
      throw noGcm(e);
    }
  }

  private void start(int mode, int frame) throws GeneralSecurityException {
    Arrays.fill(nonce, (byte) 0);
    nonce[0] = (byte) frame;
    cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
    cipher.updateAAD(header, 0, headerBytes);
  }

  private static LinkageError noGcm(GeneralSecurityException e) {
    return new LinkageError("every Java platform has AES-GCM", e);
  }
}
