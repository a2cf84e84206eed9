package io.deltabox.snapshot.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.snapshot.format.proto.StoreFormatBody;
import io.deltabox.store.Bytes;
import io.deltabox.store.Durability;
import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.RecordStore;
import io.deltabox.store.Space;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreFormatException;
import io.deltabox.store.Stores;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StoreFormatTest {
  /** The record of version 1; every later program must open it with this key. */
  private static final String GOLDEN =
      "44425853544f52450100140000002210153ad11a04465fe8141d6a2751a2d9dd2801930d26157406ac48454df2335a137d5bb5b542dd4c6bfbb433f1492fe89f0cfeb24dacab";

  private static final MasterKey FIXED =
      MasterKey.of(
          HexFormat.of()
              .parseHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));

  private final HotStore store = open();
  private final RecordStore records = store.records();
  private final SecureRandom random = new SecureRandom();
  @TempDir Path directory;

  private static HotStore open() {
    try {
      return Stores.openHot(URI.create("memory:format"), OpenOptions.create());
    } catch (StoreException e) {
      throw new AssertionError(e);
    }
  }

  @AfterEach
  void close() throws Exception {
    store.close();
  }

  @Test
  void open_knownRecord_givesTheDomainOfVersionOne() throws Exception {
    Bytes golden = Bytes.of(HexFormat.of().parseHex(GOLDEN));
    Domain domain = StoreFormat.read(golden, KeySource.given(FIXED)).domain();
    assertThat(domain.id().toString()).isEqualTo("153ad11a04465fe8141d6a2751a2d9dd");
    assertThat(domain.protection()).isEqualTo(Protection.ENCRYPTED);
    assertThat(StoreFormat.seal(StoreFormatBody.parseFrom(body(golden)), domain)).isEqualTo(golden);
  }

  @Test
  void open_newStore_makesKeyFileAndIsOpenedAgain() throws Exception {
    KeySource keys = KeySource.file(directory.resolve("key"));
    Domain made = open(keys, Protection.ENCRYPTED).domain();
    Domain again = open(keys, Protection.AUTHENTICATED_ONLY).domain();
    assertThat(again.id()).isEqualTo(made.id());
    assertThat(again.protection()).isEqualTo(Protection.ENCRYPTED);
    assertThat(again.key("x")).isEqualTo(made.key("x")).isNotEqualTo(made.key("y"));
  }

  @Test
  void open_missingKeyFile_isRefusedAndNotMadeAnew() throws Exception {
    Path path = directory.resolve("key");
    open(KeySource.file(path), Protection.ENCRYPTED);
    Files.delete(path);
    assertFails(() -> open(KeySource.file(path), Protection.ENCRYPTED), KeyException.class, "copy");
    assertThat(path).doesNotExist();
  }

  @Test
  void open_keyOfAnotherStore_isToldFromDamage() throws Exception {
    open(KeySource.given(FIXED), Protection.ENCRYPTED);
    Path other = directory.resolve("other");
    new KeyFile(other).make(random);
    assertFails(
        () -> open(KeySource.file(other), Protection.ENCRYPTED),
        KeyException.class,
        "another store");
  }

  @Test
  void open_passphrase_opensWithItOnly() throws Exception {
    Domain made = open(phrase("corréct horse"), Protection.AUTHENTICATED_ONLY).domain();
    Domain again = open(phrase("corréct horse"), Protection.ENCRYPTED).domain();
    assertThat(again.id()).isEqualTo(made.id());
    assertThat(again.protection()).isEqualTo(Protection.AUTHENTICATED_ONLY);
    assertFails(
        () -> open(phrase("battery staple"), Protection.ENCRYPTED),
        KeyException.class,
        "not the passphrase");
    assertFails(
        () -> open(KeySource.file(directory.resolve("no")), Protection.ENCRYPTED),
        KeyException.class,
        "passphrase");
    assertFails(() -> open(phrase(""), Protection.ENCRYPTED), KeyException.class, "empty");
  }

  @Test
  void open_passphraseForStoreWithKeyFile_isRefused() throws Exception {
    open(KeySource.file(directory.resolve("key")), Protection.ENCRYPTED);
    assertFails(() -> open(phrase("x"), Protection.ENCRYPTED), KeyException.class, "key file");
  }

  @Test
  void open_damagedRecord_isNeverOpened() throws Exception {
    Domain domain = open(KeySource.given(FIXED), Protection.ENCRYPTED).domain();
    byte[] record = record().toArray();
    for (int i = 0; i < record.length; i++) {
      byte[] flipped = record.clone();
      flipped[i] ^= 0x10;
      assertThatThrownBy(() -> StoreFormat.read(Bytes.of(flipped), KeySource.given(FIXED)))
          .isInstanceOfAny(StoreCorruptException.class, StoreFormatException.class);
      Bytes cut = Bytes.of(Arrays.copyOf(record, i));
      assertThatThrownBy(() -> StoreFormat.read(cut, KeySource.given(FIXED)))
          .isInstanceOfAny(StoreCorruptException.class, StoreFormatException.class);
    }
    // With the checksum made right, but without the key.
    Bytes forged =
        StoreFormat.seal(
            StoreFormatBody.parseFrom(body(record())).toBuilder().setProtectionValue(2).build(),
            new Domain(MasterKey.random(random), Protection.ENCRYPTED));
    assertFails(
        () -> StoreFormat.read(forged, KeySource.given(FIXED)),
        StoreCorruptException.class,
        domain.id().toString());
  }

  @Test
  void open_newerVersion_isRefusedByName() throws Exception {
    open(KeySource.given(FIXED), Protection.ENCRYPTED);
    byte[] record = record().toArray();
    record[8] = 2;
    assertFails(
        () -> StoreFormat.read(Bytes.of(record), KeySource.given(FIXED)),
        StoreFormatException.class,
        "newer program");
    assertFails(
        () -> StoreFormat.read(Bytes.of("something else"), KeySource.given(FIXED)),
        StoreFormatException.class,
        "not a store of snapshots");
  }

  @Test
  void require_unknownFeature_refusesThatOperationOnly() throws Exception {
    Domain domain = new Domain(FIXED, Protection.ENCRYPTED);
    open(KeySource.given(FIXED), Protection.ENCRYPTED).require(StoreFormat.Access.COLLECT);
    StoreFormatBody body = StoreFormatBody.parseFrom(body(record()));
    KeySource keys = KeySource.given(FIXED);
    StoreFormat collect =
        StoreFormat.read(
            StoreFormat.seal(body.toBuilder().addCollectFeatures("pins-2").build(), domain), keys);
    collect.require(StoreFormat.Access.WRITE);
    assertFails(
        () -> collect.require(StoreFormat.Access.COLLECT), StoreFormatException.class, "pins-2");
    StoreFormat write =
        StoreFormat.read(
            StoreFormat.seal(body.toBuilder().addWriteFeatures("w-2").build(), domain), keys);
    write.require(StoreFormat.Access.READ);
    assertFails(() -> write.require(StoreFormat.Access.WRITE), StoreFormatException.class, "w-2");
    assertFails(() -> write.require(StoreFormat.Access.COLLECT), StoreFormatException.class, "w-2");
    Bytes read = StoreFormat.seal(body.toBuilder().addReadFeatures("r-2").build(), domain);
    assertFails(() -> StoreFormat.read(read, keys), StoreFormatException.class, "r-2");
  }

  @Test
  void open_recordGoneFromStoreWithContent_isDamageAndNotNew() throws Exception {
    records.commit(
        new RecordBatch().put(Space.MANIFEST, Bytes.of("m"), Bytes.EMPTY), Durability.SYNC);
    Path path = directory.resolve("key");
    assertFails(
        () -> open(KeySource.file(path), Protection.ENCRYPTED),
        StoreCorruptException.class,
        "missing");
    assertThat(path).doesNotExist();
  }

  private StoreFormat open(KeySource keys, Protection protection) throws StoreException {
    return StoreFormat.open(records, keys, protection, random);
  }

  private Bytes record() throws StoreException {
    return records.get(Space.META, StoreFormat.KEY).orElseThrow();
  }

  private static byte[] body(Bytes record) {
    byte[] bytes = record.toArray();
    return Arrays.copyOfRange(bytes, 14, bytes.length - 36);
  }

  private static KeySource phrase(String text) {
    return KeySource.passphrase(text::toCharArray);
  }

  private static void assertFails(ThrowingCallable call, Class<?> type, String part) {
    assertThatThrownBy(call).isInstanceOf(type).hasMessageContaining(part);
  }
}
