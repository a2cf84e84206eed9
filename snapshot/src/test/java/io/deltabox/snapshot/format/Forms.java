package io.deltabox.snapshot.format;

import io.deltabox.store.ChunkId;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Random;

/** Bytes and stored forms for tests. */
final class Forms {
  static final MasterKey KEY =
      MasterKey.of(
          HexFormat.of()
              .parseHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));

  private Forms() {}

  static Domain domain(Protection protection) {
    return new Domain(KEY, protection);
  }

  static ChunkCodec codec(Protection protection) {
    return new ChunkCodec(domain(protection), new SecureRandom());
  }

  /** A codec with salts that are always the same. */
  static ChunkCodec fixedCodec(Protection protection) {
    return new ChunkCodec(domain(protection), new FixedRandom());
  }

  static ByteBuffer random(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return direct(bytes);
  }

  /** Compresses to about a half. */
  static ByteBuffer words(long seed, int length) {
    Random random = new Random(seed);
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) ((i & 7) < 4 ? random.nextInt(256) : 0);
    }
    return direct(bytes);
  }

  static ByteBuffer direct(byte[] bytes) {
    return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
  }

  static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }

  static ByteBuffer stored(ChunkCodec codec, ChunkType type, ByteBuffer plain) {
    return stored(codec, type, plain, codec.id(type, plain));
  }

  static ByteBuffer stored(ChunkCodec codec, ChunkType type, ByteBuffer plain, ChunkId id) {
    ByteBuffer to = ByteBuffer.allocateDirect(ChunkCodec.STORED_BYTES_MAX);
    codec.encode(type, id, plain, null, to);
    return to.flip();
  }

  private static final class FixedRandom extends SecureRandom {
    private static final long serialVersionUID = 1;

    @Override
    public void nextBytes(byte[] bytes) {
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] = (byte) (0xa0 + i);
      }
    }
  }
}
