package io.deltabox.snapshot.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreFormatException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ChunkCodecTest {
  private static final int[] LENGTHS = {
    1, 2, 63, 4095, 4096, 4097, 65535, 65536, 65537, 131072, 200_001, 262143, 262144
  };

  @ParameterizedTest
  @EnumSource
  void decode_anyLength_givesTheBytesBack(Protection protection) throws Exception {
    try (ChunkCodec codec = Forms.codec(protection);
        ChunkCodec reader = Forms.codec(protection)) {
      for (int length : LENGTHS) {
        for (ByteBuffer plain : List.of(Forms.random(length, length), Forms.words(1, length))) {
          ChunkId id = codec.id(ChunkType.FILE, plain);
          ByteBuffer stored = Forms.stored(codec, ChunkType.FILE, plain);
          assertThat(stored.remaining()).isLessThanOrEqualTo(ChunkCodec.STORED_BYTES_MAX);
          assertThat(plain.remaining()).isEqualTo(length);
          assertThat(ChunkCodec.bases(id, stored)).isEmpty();
          assertThat(reader.decode(ChunkType.FILE, id, stored, BaseSource.NONE)).isEqualTo(plain);
          ByteBuffer heap = ByteBuffer.wrap(Forms.bytes(plain));
          assertThat(codec.id(ChunkType.FILE, heap)).isEqualTo(id);
          ByteBuffer heapStored =
              ByteBuffer.wrap(Forms.bytes(Forms.stored(codec, ChunkType.FILE, heap)));
          assertThat(reader.decode(ChunkType.FILE, id, heapStored, BaseSource.NONE))
              .isEqualTo(plain);
        }
      }
    }
  }

  @Test
  void encode_bytesThatDoNotShrink_costsLittleMoreThanThem() throws Exception {
    try (ChunkCodec codec = Forms.codec(Protection.ENCRYPTED)) {
      ByteBuffer random = Forms.random(1, 262144);
      assertThat(Forms.stored(codec, ChunkType.FILE, random).remaining()).isLessThan(262144 + 160);
      ByteBuffer words = Forms.words(1, 262144);
      assertThat(Forms.stored(codec, ChunkType.FILE, words).remaining()).isLessThan(170_000);
    }
  }

  @Test
  void id_typeDomainOrContent_makesAnotherOne() {
    ByteBuffer plain = Forms.words(1, 5000);
    Domain other = new Domain(MasterKey.random(new SecureRandom()), Protection.ENCRYPTED);
    try (ChunkCodec codec = Forms.codec(Protection.ENCRYPTED);
        ChunkCodec foreign = new ChunkCodec(other, new SecureRandom())) {
      ChunkId id = codec.id(ChunkType.FILE, plain);
      assertThat(codec.id(ChunkType.PAGES, plain)).isNotEqualTo(id);
      assertThat(foreign.id(ChunkType.FILE, plain)).isNotEqualTo(id);
      assertThat(codec.id(ChunkType.FILE, Forms.words(2, 5000))).isNotEqualTo(id);
    }
  }

  @Test
  void encode_encrypted_showsNothingOfThePlainBytesAndNeverTheSameForm() {
    byte[] secret = "the password is in here".getBytes(StandardCharsets.US_ASCII);
    try (ChunkCodec codec = Forms.codec(Protection.ENCRYPTED);
        ChunkCodec open = Forms.codec(Protection.AUTHENTICATED_ONLY)) {
      byte[] form = Forms.bytes(Forms.stored(codec, ChunkType.FILE, ByteBuffer.wrap(secret)));
      byte[] again = Forms.bytes(Forms.stored(codec, ChunkType.FILE, ByteBuffer.wrap(secret)));
      byte[] readable = Forms.bytes(Forms.stored(open, ChunkType.FILE, ByteBuffer.wrap(secret)));
      assertThat(text(readable)).contains(text(secret));
      assertThat(text(form)).doesNotContain("password");
      assertThat(form).isNotEqualTo(again);
    }
  }

  @ParameterizedTest
  @EnumSource
  void encode_pagesLikeOlderOnes_isSmallAndNeedsThem(Protection protection) throws Exception {
    try (ChunkCodec codec = Forms.codec(protection)) {
      ByteBuffer before = Forms.random(1, 40 * 4096);
      ByteBuffer after = Forms.direct(Forms.bytes(before));
      for (int page = 0; page < 40; page++) {
        after.putLong(page * 4096 + 1234, 42 + page);
      }
      ChunkId base = codec.id(ChunkType.PAGES, before);
      ByteBuffer baseStored = Forms.stored(codec, ChunkType.PAGES, before);
      PageBases bases = new PageBases();
      for (int page = 0; page < 40; page++) {
        if (page == 7) {
          bases.none();
        } else {
          bases.page(base, page, before.slice(page * 4096, 4096));
        }
      }
      ChunkId id = codec.id(ChunkType.PAGES, after);
      ByteBuffer to = ByteBuffer.allocateDirect(ChunkCodec.STORED_BYTES_MAX);
      assertThat(codec.encode(ChunkType.PAGES, id, after, bases, to)).isTrue();
      ByteBuffer stored = to.flip();
      assertThat(stored.remaining()).isLessThan(4096 + 4000);
      assertThat(ChunkCodec.bases(id, stored)).containsExactly(base);
      // The source decodes with the same codec.
      BaseSource source =
          wanted -> codec.decode(ChunkType.PAGES, wanted, baseStored, BaseSource.NONE);
      assertThat(codec.decode(ChunkType.PAGES, id, stored, source)).isEqualTo(after);
      assertThatThrownBy(() -> codec.decode(ChunkType.PAGES, id, stored, BaseSource.NONE))
          .isInstanceOf(StoreCorruptException.class)
          .hasMessageContaining(base.toString());
      // A base with other bytes, or too few, never gives wrong pages.
      ByteBuffer wrong = Forms.random(2, 40 * 4096);
      assertThatThrownBy(() -> codec.decode(ChunkType.PAGES, id, stored, wanted -> wrong))
          .isInstanceOf(StoreCorruptException.class);
      ByteBuffer few = Forms.random(2, 3 * 4096);
      assertThatThrownBy(() -> codec.decode(ChunkType.PAGES, id, stored, wanted -> few))
          .isInstanceOf(StoreCorruptException.class);
    }
  }

  @Test
  void encode_basesOfNoUse_areNotTaken() throws Exception {
    try (ChunkCodec codec = Forms.codec(Protection.ENCRYPTED)) {
      ByteBuffer plain = Forms.words(1, 8 * 4096);
      PageBases bases = new PageBases();
      for (int page = 0; page < 8; page++) {
        bases.page(new ChunkId(1, 2, 3, page), page, Forms.random(page, 4096));
      }
      ChunkId id = codec.id(ChunkType.PAGES, plain);
      ByteBuffer to = ByteBuffer.allocateDirect(ChunkCodec.STORED_BYTES_MAX);
      assertThat(codec.encode(ChunkType.PAGES, id, plain, bases, to)).isFalse();
      to.flip();
      assertThat(ChunkCodec.bases(id, to)).isEmpty();
      assertThat(codec.decode(ChunkType.PAGES, id, to, BaseSource.NONE)).isEqualTo(plain);
    }
  }

  /** zstd would take such a prefix for a dictionary of its own. */
  @Test
  void encode_baseThatBeginsLikeADictionary_isAPrefixAsAny() throws Exception {
    try (ChunkCodec codec = Forms.codec(Protection.ENCRYPTED)) {
      ByteBuffer before = Forms.random(1, 4096);
      before.order(ByteOrder.LITTLE_ENDIAN).putInt(0, 0xEC30A437);
      ByteBuffer after = Forms.direct(Forms.bytes(before));
      after.put(100, (byte) 1);
      ChunkId base = codec.id(ChunkType.PAGES, before);
      PageBases bases = new PageBases().page(base, 0, before.slice(0, 4096));
      ChunkId id = codec.id(ChunkType.PAGES, after);
      ByteBuffer to = ByteBuffer.allocateDirect(ChunkCodec.STORED_BYTES_MAX);
      assertThat(codec.encode(ChunkType.PAGES, id, after, bases, to)).isTrue();
      assertThat(codec.decode(ChunkType.PAGES, id, to.flip(), wanted -> before)).isEqualTo(after);
    }
  }

  @Test
  void decode_otherIdTypeOrDomain_isRefused() throws Exception {
    ByteBuffer plain = Forms.words(1, 100_000);
    Domain other = new Domain(MasterKey.random(new SecureRandom()), Protection.ENCRYPTED);
    try (ChunkCodec codec = Forms.codec(Protection.ENCRYPTED);
        ChunkCodec foreign = new ChunkCodec(other, new SecureRandom())) {
      ChunkId id = codec.id(ChunkType.FILE, plain);
      ByteBuffer stored = Forms.stored(codec, ChunkType.FILE, plain);
      ChunkId another = codec.id(ChunkType.FILE, Forms.words(2, 100_000));
      assertCorrupt(() -> codec.decode(ChunkType.FILE, another, stored, BaseSource.NONE));
      assertCorrupt(() -> codec.decode(ChunkType.TABLE, id, stored, BaseSource.NONE));
      // Sealed with the keys, but under a name that its bytes do not have.
      ByteBuffer lie = Forms.stored(codec, ChunkType.FILE, plain, another);
      assertCorrupt(() -> codec.decode(ChunkType.FILE, another, lie, BaseSource.NONE));
      assertThatThrownBy(() -> foreign.decode(ChunkType.FILE, id, stored, BaseSource.NONE))
          .isInstanceOf(KeyException.class)
          .hasMessageContaining("another domain");
    }
  }

  @Test
  void decode_newerVersion_isToldFromDamage() throws Exception {
    try (ChunkCodec codec = Forms.codec(Protection.ENCRYPTED)) {
      ByteBuffer plain = Forms.words(1, 1000);
      ByteBuffer stored = Forms.stored(codec, ChunkType.FILE, plain).order(ByteOrder.LITTLE_ENDIAN);
      stored.put(4, (byte) 2);
      ChunkId id = codec.id(ChunkType.FILE, plain);
      assertCorrupt(() -> codec.decode(ChunkType.FILE, id, stored, BaseSource.NONE));
      stored.putInt(stored.limit() - 4, ChunkHeader.sum(stored, stored.limit() - 4));
      assertThatThrownBy(() -> codec.decode(ChunkType.FILE, id, stored, BaseSource.NONE))
          .isInstanceOf(StoreFormatException.class)
          .hasMessageContaining("newer");
    }
  }

  @ParameterizedTest
  @EnumSource
  void unseal_sameKindAndName_givesTheRecordBack(Protection protection) throws Exception {
    Bytes name = Bytes.of("snapshot");
    try (ChunkCodec codec = Forms.codec(protection)) {
      for (int length : new int[] {1, 100, 65536, 300_000, ChunkCodec.SEALED_BYTES_MAX}) {
        ByteBuffer plain = Forms.words(length, length);
        Bytes sealed = codec.seal(SealedKind.MANIFEST, name, plain);
        assertThat(codec.unseal(SealedKind.MANIFEST, name, sealed)).isEqualTo(Bytes.of(plain));
        assertCorrupt(() -> codec.unseal(SealedKind.NAME, name, sealed));
        assertCorrupt(() -> codec.unseal(SealedKind.MANIFEST, Bytes.of("other"), sealed));
      }
    }
  }

  @Test
  void encode_impossibleLength_isRefused() {
    try (ChunkCodec codec = Forms.codec(Protection.ENCRYPTED)) {
      assertThatThrownBy(() -> codec.id(ChunkType.FILE, ByteBuffer.allocate(0)))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> codec.id(ChunkType.FILE, ByteBuffer.allocate(262145)))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  private interface Call {
    void run() throws StoreException;
  }

  private static void assertCorrupt(Call call) {
    assertThatThrownBy(call::run).isInstanceOf(StoreCorruptException.class);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  @Test
  void decode_storedTwiceInBothProtections_isNeverMixedUp() throws Exception {
    ByteBuffer plain = Forms.words(3, 9000);
    try (ChunkCodec encrypted = Forms.codec(Protection.ENCRYPTED);
        ChunkCodec open = Forms.codec(Protection.AUTHENTICATED_ONLY)) {
      ChunkId id = open.id(ChunkType.FILE, plain);
      byte[] form = Forms.bytes(Forms.stored(open, ChunkType.FILE, plain));
      assertCorrupt(
          () -> encrypted.decode(ChunkType.FILE, id, ByteBuffer.wrap(form), BaseSource.NONE));
      byte[] relabelled = form.clone();
      relabelled[6] = 1;
      ByteBuffer fixed = ByteBuffer.wrap(relabelled).order(ByteOrder.LITTLE_ENDIAN);
      fixed.putInt(form.length - 4, ChunkHeader.sum(fixed, form.length - 4));
      assertCorrupt(() -> encrypted.decode(ChunkType.FILE, id, fixed, BaseSource.NONE));
      assertThat(Arrays.equals(form, relabelled)).isFalse();
    }
  }
}
