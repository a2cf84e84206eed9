package io.deltabox.store.rocksdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.store.ChunkId;
import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.RecordRange;
import io.deltabox.store.Space;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreFormatException;
import io.deltabox.store.StoreMissingException;
import io.deltabox.store.testkit.Samples;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.FlushOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;

/** Damage is an error that names it; never zeros, never nothing. */
final class RocksDamageTest {
  @TempDir Path scratch;

  private static void flip(Path file, long position, int bit) throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(position);
      int old = bytes.read();
      bytes.seek(position);
      bytes.write(old ^ (1 << bit));
    }
  }

  private static void cut(Path file, long length) throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.setLength(length);
    }
  }

  private static StoreException verifyFails(Path store) {
    try (HotStore open = TestStore.open(store, OpenOptions.write())) {
      open.verify();
      throw new AssertionError("nothing found: " + store);
    } catch (StoreException e) {
      return e;
    }
  }

  @Test
  void verify_withFlippedBitInAnyTable_namesTheFile() throws Exception {
    Path store = TestStore.inTables(scratch.resolve("s"));
    List<Path> tables = TestStore.files(store, ".sst");
    assertThat(tables).hasSizeGreaterThanOrEqualTo(4);
    for (Path table : tables) {
      flip(table, 10, 3);
      assertThat(verifyFails(store))
          .isInstanceOf(StoreCorruptException.class)
          .hasMessageContaining(table.getFileName().toString());
      flip(table, 10, 3);
    }
    try (HotStore open = TestStore.open(store, OpenOptions.write())) {
      open.verify();
      TestStore.assertWhole(open);
    }
  }

  @Test
  void read_ofChunkWithFlippedBit_namesItAndGivesTheOthers() throws Exception {
    Path store = TestStore.inTables(scratch.resolve("s"));
    Path segment = TestStore.largest(store, ".seg");
    flip(segment, Files.size(segment) / 2, 0);
    try (HotStore open = TestStore.open(store, OpenOptions.write())) {
      List<ChunkId> damaged = new ArrayList<>();
      for (int i = 0; i < TestStore.CHUNKS; i++) {
        ChunkId id = Samples.id(i);
        try {
          assertThat(Samples.read(open.chunks(), List.of(id)).get(id))
              .isEqualTo(TestStore.content(i));
        } catch (StoreCorruptException e) {
          assertThat(e).hasMessageContaining(id.toString());
          damaged.add(id);
        }
      }
      assertThat(damaged).hasSize(1);
      List<ChunkId> all = Samples.ids(open.chunks(), new ChunkId(0, 0, 0, 0));
      assertThat(all).hasSize(TestStore.CHUNKS);
      assertThatThrownBy(() -> Samples.read(open.chunks(), all))
          .isInstanceOf(StoreCorruptException.class)
          .hasMessageContaining(damaged.get(0).toString());
      assertThatThrownBy(open::verify).isInstanceOf(StoreCorruptException.class);
    }
  }

  @Test
  void read_withSegmentCut_isRefused() throws Exception {
    Path store = TestStore.inTables(scratch.resolve("s"));
    Path segment = TestStore.largest(store, ".seg");
    cut(segment, Files.size(segment) / 2);
    assertFound(store);
    assertThat(verifyFails(store)).isInstanceOf(StoreCorruptException.class);
  }

  @Test
  void open_withSegmentGone_namesIt() throws Exception {
    Path store = TestStore.inTables(scratch.resolve("s"));
    Path segment = TestStore.largest(store, ".seg");
    Path aside = Files.move(segment, scratch.resolve("aside"));
    assertThatThrownBy(() -> TestStore.open(store, OpenOptions.write()))
        .isInstanceOf(StoreCorruptException.class)
        .hasMessageContaining(segment.toString());
    assertThatThrownBy(() -> TestStore.open(store, OpenOptions.read()))
        .isInstanceOf(StoreCorruptException.class)
        .hasMessageContaining(segment.getFileName().toString());
    Files.move(aside, segment);
    try (HotStore open = TestStore.open(store, OpenOptions.write())) {
      TestStore.assertWhole(open);
    }
  }

  @Test
  void open_withTableGoneOrCut_namesIt() throws Exception {
    Path store = TestStore.inTables(scratch.resolve("s"));
    Path table = TestStore.largest(store, ".sst");
    cut(table, Files.size(table) - 1);
    assertThatThrownBy(() -> TestStore.open(store, OpenOptions.write()))
        .isInstanceOf(StoreCorruptException.class)
        .hasMessageContaining(table.getFileName().toString());
    Files.delete(table);
    assertThatThrownBy(() -> TestStore.open(store, OpenOptions.write()))
        .isInstanceOf(StoreCorruptException.class)
        .hasMessageContaining(table.getFileName().toString());
  }

  /** A torn end would be cut off there; the promise that was made is kept beside. */
  @Test
  void open_withFlippedBitInLog_isRefused() throws Exception {
    Path store = TestStore.inLog(scratch.resolve("s"));
    Path log = TestStore.largest(store, ".seg");
    flip(log, Files.size(log) - 1000, 5);
    for (OpenOptions options :
        List.of(OpenOptions.read(), OpenOptions.write(), OpenOptions.write())) {
      assertThatThrownBy(() -> TestStore.open(store, options))
          .isInstanceOf(StoreCorruptException.class)
          .hasMessageContaining(store.toString());
    }
    Files.delete(store.resolve("durable"));
    try (HotStore open = TestStore.open(store, OpenOptions.write())) {
      assertThat(Samples.records(open)).isEmpty();
      open.verify();
    }
  }

  /** Between chunks, in a head: where the next entry is cannot be known. */
  @Test
  void open_withFlippedBitInAHeadOfTheLog_isRefused() throws Exception {
    for (boolean promise : new boolean[] {true, false}) {
      Path store = scratch.resolve("s" + promise);
      try (HotStore open = TestStore.open(store, OpenOptions.create())) {
        TestStore.fill(open);
        // What comes later tells that it was durable.
        TestStore.fill(open);
      }
      flip(TestStore.largest(store, ".seg"), SegmentHead.BYTES + 20, 5);
      if (!promise) {
        Files.delete(store.resolve("durable"));
      }
      assertThatThrownBy(() -> TestStore.open(store, OpenOptions.write()))
          .isInstanceOf(StoreCorruptException.class)
          .hasMessageContaining("0000000001.seg at=" + SegmentHead.BYTES);
    }
  }

  @Test
  void open_withLogGone_isRefused() throws Exception {
    Path store = TestStore.inLog(scratch.resolve("s"));
    for (Path log : TestStore.files(store, ".seg")) {
      Files.delete(log);
    }
    assertThatThrownBy(() -> TestStore.open(store, OpenOptions.write()))
        .isInstanceOf(StoreCorruptException.class);
  }

  @Test
  void open_withDatabaseGone_isRefused() throws Exception {
    Path store = TestStore.inTables(scratch.resolve("s"));
    Files.move(store.resolve("db"), scratch.resolve("aside"));
    for (OpenOptions options : List.of(OpenOptions.create(), OpenOptions.read())) {
      assertThatThrownBy(() -> TestStore.open(store, options))
          .isInstanceOf(StoreCorruptException.class)
          .hasMessageContaining(store.toString());
    }
  }

  @Test
  void open_withDamagedWatermark_isRefused() throws Exception {
    Path store = TestStore.inTables(scratch.resolve("s"));
    flip(store.resolve("durable"), 9, 1);
    assertThatThrownBy(() -> TestStore.open(store, OpenOptions.write()))
        .isInstanceOf(StoreCorruptException.class)
        .hasMessageContaining("durable");
  }

  /** Any bit of any file: it is found, or it does not matter. */
  @Test
  void randomDamage_isFoundOrHarmless() throws Exception {
    long seed = Samples.seed("damage");
    Random random = new Random(seed);
    int found = 0;
    Path tables = TestStore.inTables(scratch.resolve("t"));
    Path log = TestStore.inLog(scratch.resolve("l"));
    int rounds = Samples.count(30, 1000);
    for (int round = 0; round < rounds; round++) {
      Path store = scratch.resolve("copy" + round);
      copy(random.nextInt(4) == 0 ? log : tables, store);
      List<Path> files = new ArrayList<>();
      for (String suffix : List.of(".sst", ".seg")) {
        files.addAll(TestStore.files(store, suffix));
      }
      files.addAll(TestStore.files(store, "CURRENT"));
      try (var manifests = Files.list(store.resolve("db"))) {
        manifests.filter(file -> file.toString().contains("MANIFEST")).forEach(files::add);
      }
      files.removeIf(file -> file.toFile().length() == 0);
      Path file = files.get(random.nextInt(files.size()));
      long position = (long) (random.nextDouble() * Files.size(file));
      flip(file, position, random.nextInt(8));
      String where = "seed=" + seed + " round=" + round + " file=" + file + " at=" + position;
      found += findOrReadAll(store, where) ? 1 : 0;
      delete(store);
    }
    System.out.println("DAMAGE found " + found + " of " + rounds);
    assertThat(found).as("seed=" + seed).isGreaterThan(rounds / 2);
  }

  private static boolean findOrReadAll(Path store, String where) {
    try (HotStore open = TestStore.open(store, OpenOptions.write())) {
      TestStore.assertWhole(open);
      open.verify();
      TestStore.assertWhole(open);
      return false;
    } catch (StoreCorruptException | StoreFormatException e) {
      return true;
    } catch (StoreException | AssertionError e) {
      throw new AssertionError(where, e);
    }
  }

  private static void assertFound(Path store) {
    assertThat(findOrReadAll(store, store.toString())).isTrue();
  }

  private static void copy(Path from, Path to) throws IOException {
    try (var files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }

  private static void delete(Path directory) throws IOException {
    try (var files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Test
  void open_ofAnotherFormat_isRefused() throws Exception {
    Path store = TestStore.inTables(scratch.resolve("s"));
    Files.writeString(store.resolve("format"), "deltabox rocksdb hot 1\n");
    assertThatThrownBy(() -> TestStore.open(store, OpenOptions.write()))
        .isInstanceOf(StoreFormatException.class)
        .hasMessageContaining("hot 1")
        .hasMessageContaining("hot 2");
    Path other = Files.createDirectory(scratch.resolve("other"));
    Files.writeString(other.resolve("letter"), "dear");
    assertThatThrownBy(() -> TestStore.open(other, OpenOptions.create()))
        .isInstanceOf(StoreFormatException.class);
    assertThat(other.resolve("format")).doesNotExist();
  }

  /** A later version's families are not silently left out. */
  @Test
  void open_withUnknownFamily_isRefused() throws Exception {
    Path store = TestStore.inTables(scratch.resolve("s"));
    inside(
        store,
        (database, families) -> {
          ColumnFamilyDescriptor later =
              new ColumnFamilyDescriptor("later".getBytes(StandardCharsets.UTF_8));
          database.createColumnFamily(later).close();
        });
    assertThatThrownBy(() -> TestStore.open(store, OpenOptions.write()))
        .isInstanceOf(StoreFormatException.class)
        .hasMessageContaining("later");
  }

  /** A place that leads to another chunk, into the middle of one, or behind the end. */
  @Test
  void read_ofChunkWhosePlaceIsWrong_isRefused() throws Exception {
    ChunkId id = Samples.id(5);
    for (long shift : List.of(16L, -16L, 1L << 30, 7L << 32)) {
      Path store = TestStore.inTables(scratch.resolve("s" + shift));
      inside(
          store,
          (database, families) -> {
            ColumnFamilyHandle places = families.get(Family.PLACE);
            Location right = Location.of(database.get(places, id.toArray()));
            Place wrong = Place.of(right.place().number() + shift);
            database.put(
                places,
                new WriteOptions().setDisableWAL(true),
                id.toArray(),
                new Location(wrong, right.bytes()).toArray());
          });
      try (HotStore open = TestStore.open(store, OpenOptions.write())) {
        for (List<ChunkId> ids : List.of(List.of(id), List.of(Samples.id(4), id))) {
          assertThatThrownBy(() -> Samples.read(open.chunks(), ids))
              .isInstanceOf(StoreCorruptException.class)
              .hasMessageContaining(id.toString());
        }
        assertThatThrownBy(open::verify).isInstanceOf(StoreCorruptException.class);
      }
    }
  }

  @Test
  void scan_ofDamagedTable_doesNotJustEnd() throws Exception {
    Path store = TestStore.inTables(scratch.resolve("s"));
    int damaged = 0;
    for (Path table : TestStore.files(store, ".sst")) {
      flip(table, 10, 3);
      try (HotStore open = TestStore.open(store, OpenOptions.write())) {
        assertThat(Samples.scan(open.records(), Space.MANIFEST, RecordRange.ALL))
            .hasSize(TestStore.RECORDS);
        assertThat(Samples.ids(open.chunks(), new ChunkId(0, 0, 0, 0))).hasSize(TestStore.CHUNKS);
      } catch (StoreCorruptException e) {
        assertThat(e).hasMessageContaining(table.getFileName().toString());
        damaged++;
      }
      flip(table, 10, 3);
    }
    assertThat(damaged).isEqualTo(TestStore.files(store, ".sst").size());
  }

  /** A process that ended while it made the store leaves one that is made by the next. */
  @Test
  void open_ofStoreHalfMade_makesIt() throws Exception {
    for (int part = 0; part < 3; part++) {
      Path store = TestStore.inTables(scratch.resolve("s" + part));
      cut(store.resolve("durable"), 0);
      if (part < 2) {
        delete(store.resolve("db"));
      }
      if (part == 0) {
        Files.delete(store.resolve("durable"));
      }
      assertThatThrownBy(() -> TestStore.open(store, OpenOptions.read()))
          .isInstanceOf(StoreMissingException.class);
      try (HotStore open = TestStore.open(store, OpenOptions.create())) {
        TestStore.fill(open);
      }
      try (HotStore open = TestStore.open(store, OpenOptions.write())) {
        TestStore.assertWhole(open);
      }
    }
  }

  /** Work on the database itself. */
  private interface Work {
    void run(RocksDB database, Map<Family, ColumnFamilyHandle> families) throws RocksDBException;
  }

  private static void inside(Path store, Work work) throws RocksDBException {
    List<ColumnFamilyHandle> handles = new ArrayList<>();
    try (Settings settings = new Settings(8 << 20, false, new FlushGuard());
        RocksDB database =
            RocksDB.open(
                settings.database(),
                store.resolve("db").toString(),
                settings.families(),
                handles)) {
      Map<Family, ColumnFamilyHandle> families = new EnumMap<>(Family.class);
      for (Family family : Family.values()) {
        families.put(family, handles.get(families.size()));
      }
      work.run(database, families);
      try (FlushOptions options = new FlushOptions()) {
        database.flush(options, handles);
      }
    }
  }
}
