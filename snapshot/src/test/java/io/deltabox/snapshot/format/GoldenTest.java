package io.deltabox.snapshot.format;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Stored forms that version 1 wrote, with a fixed key: all later versions must read them. What they
 * hold comes from {@link Forms}. With {@code -Ddeltabox.golden=DIRECTORY} missing ones are written
 * there.
 */
final class GoldenTest {
  private static final Bytes NAME = Bytes.of("golden");

  @ParameterizedTest
  @EnumSource
  void decode_compressedFormOfVersionOne_givesItsBytes(Protection protection) throws Exception {
    ByteBuffer plain = Forms.words(21, 70_000);
    checkChunk(protection, "compressed", ChunkType.FILE, plain, null);
  }

  @Test
  void decode_keptFormOfVersionOne_givesItsBytes() throws Exception {
    checkChunk(Protection.ENCRYPTED, "kept", ChunkType.TABLE, Forms.random(22, 3000), null);
  }

  @Test
  void decode_formAgainstBasesOfVersionOne_givesItsBytes() throws Exception {
    ByteBuffer before = Forms.random(23, 18 * 4096);
    ByteBuffer after = Forms.direct(Forms.bytes(before));
    for (int page = 0; page < 18; page++) {
      after.putLong(page * 4096 + 8, page);
    }
    checkChunk(Protection.ENCRYPTED, "against", ChunkType.PAGES, after, before);
  }

  @Test
  void unseal_recordOfVersionOne_givesItsBytes() throws Exception {
    ByteBuffer plain = Forms.words(24, 500);
    try (ChunkCodec codec = Forms.fixedCodec(Protection.ENCRYPTED)) {
      Bytes sealed = codec.seal(SealedKind.MANIFEST, NAME, plain);
      Bytes golden = golden("sealed", sealed);
      assertThat(codec.unseal(SealedKind.MANIFEST, NAME, golden)).isEqualTo(Bytes.of(plain));
    }
  }

  private static void checkChunk(
      Protection protection,
      String name,
      ChunkType type,
      ByteBuffer plain,
      @Nullable ByteBuffer before)
      throws Exception {
    try (ChunkCodec codec = Forms.fixedCodec(protection)) {
      ChunkId id = codec.id(type, plain);
      PageBases bases = null;
      if (before != null) {
        bases = new PageBases();
        ChunkId base = codec.id(type, before);
        for (int page = 0; page < 18; page++) {
          bases.page(base, page, before.slice(page * 4096, 4096));
        }
      }
      ByteBuffer to = ByteBuffer.allocateDirect(ChunkCodec.STORED_BYTES_MAX);
      codec.encode(type, id, plain, bases, to);
      Bytes golden = golden(name + "-" + protection.number(), Bytes.of(to.flip()));
      BaseSource source = before == null ? BaseSource.NONE : wanted -> before;
      assertThat(codec.decode(type, id, golden.buffer(), source)).isEqualTo(plain);
    }
  }

  private static Bytes golden(String name, Bytes now) throws Exception {
    String directory = System.getProperty("deltabox.golden");
    if (directory != null && !Files.exists(Path.of(directory, name))) {
      Files.write(Path.of(directory, name), now.toArray());
    }
    try (InputStream in = GoldenTest.class.getResourceAsStream("/golden-1/" + name)) {
      return directory != null
          ? now
          : Bytes.of(Objects.requireNonNull(in, "no golden sample: " + name).readAllBytes());
    }
  }
}
