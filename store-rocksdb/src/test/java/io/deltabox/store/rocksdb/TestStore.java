package io.deltabox.store.rocksdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.store.Bytes;
import io.deltabox.store.Chunk;
import io.deltabox.store.ChunkId;
import io.deltabox.store.Durability;
import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.Space;
import io.deltabox.store.StoreException;
import io.deltabox.store.Stores;
import io.deltabox.store.testkit.Samples;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A store of known content. */
final class TestStore {
  static final int CHUNKS = 100;
  static final int RECORDS = 200;

  private TestStore() {}

  static HotStore open(Path directory, OpenOptions options) throws StoreException {
    return Stores.openHot(URI.create("rocksdb:" + directory), options);
  }

  static Bytes content(int number) {
    return Samples.content(number, 3000 + 100 * number);
  }

  static Bytes key(int number) {
    return Bytes.of(String.format("record-%05d", number));
  }

  static Bytes value(int number) {
    return Samples.content(number, 50 + number);
  }

  static void fill(HotStore store) throws StoreException {
    List<Chunk> chunks = new ArrayList<>();
    for (int i = 0; i < CHUNKS; i++) {
      chunks.add(Samples.chunk(Samples.id(i), content(i)));
    }
    store.chunks().write(chunks);
    RecordBatch batch = new RecordBatch();
    for (int i = 0; i < RECORDS; i++) {
      batch.put(Space.MANIFEST, key(i), value(i));
    }
    store.records().commit(batch, Durability.SYNC);
  }

  /** A closed store whose content lies in the log only. */
  static Path inLog(Path directory) throws StoreException {
    try (HotStore store = open(directory, OpenOptions.create())) {
      fill(store);
    }
    return directory;
  }

  /** A closed store whose content lies in tables and blob files. */
  static Path inTables(Path directory) throws StoreException {
    try (HotStore store = open(directory, OpenOptions.create())) {
      fill(store);
      store.verify();
    }
    return directory;
  }

  /** What is read is what was written, all of it. */
  static void assertWhole(HotStore store) throws StoreException {
    for (int i = 0; i < CHUNKS; i++) {
      ChunkId id = Samples.id(i);
      assertThat(Samples.read(store.chunks(), List.of(id))).isEqualTo(Map.of(id, content(i)));
    }
    Map<Bytes, Bytes> records = new TreeMap<>();
    for (int i = 0; i < RECORDS; i++) {
      records.put(key(i), value(i));
    }
    assertThat(Samples.records(store)).isEqualTo(Map.of(Space.MANIFEST, records));
  }

  static List<Path> files(Path directory, String suffix) throws IOException {
    try (var files = Files.list(directory.resolve(suffix.equals(".seg") ? "log" : "db"))) {
      return files.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
    }
  }

  static Path largest(Path directory, String suffix) throws IOException {
    return files(directory, suffix).stream()
        .max((one, other) -> Long.compare(one.toFile().length(), other.toFile().length()))
        .orElseThrow();
  }
}
