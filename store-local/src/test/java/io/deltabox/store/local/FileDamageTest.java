package io.deltabox.store.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import io.deltabox.store.Durability;
import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.RecordRange;
import io.deltabox.store.Space;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreFormatException;
import io.deltabox.store.Stores;
import io.deltabox.store.testkit.Samples;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are not as they were left. */
final class FileDamageTest {
  private static final Bytes KEY = Bytes.of("k");

  @TempDir Path directory;

  private HotStore open() throws StoreException {
    return Stores.openHot(URI.create("file:" + directory), OpenOptions.create());
  }

  private static void commit(HotStore store, String value) throws StoreException {
    store.records().commit(new RecordBatch().put(Space.REF, KEY, Bytes.of(value)), Durability.SYNC);
  }

  private String value() throws StoreException {
    try (HotStore store = open()) {
      return store.records().get(Space.REF, KEY).orElse(Bytes.of("none")).text();
    }
  }

  @BeforeEach
  void fill() throws StoreException {
    try (HotStore store = open()) {
      for (long i = 0; i < 3; i++) {
        ChunkId id = Samples.id(i);
        store.chunks().write(List.of(Samples.chunk(id, Samples.content(i, 5000))));
      }
      commit(store, "one");
      commit(store, "two");
    }
  }

  private void flip(Path file, int at) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[at < 0 ? bytes.length + at : at] ^= 1;
    Files.write(file, bytes);
  }

  private Path chunkFile(long number) {
    String id = Samples.id(number).toString();
    return directory.resolve("chunks").resolve(id.substring(0, 2)).resolve(id);
  }

  @Test
  void chunk_withFlippedBit_isNamedAndNeverHandedOut() throws IOException {
    for (int at : new int[] {0, 5, 9, 12, -1}) {
      flip(chunkFile(1), at);
      try (HotStore store = open()) {
        assertThatThrownBy(() -> Samples.read(store.chunks(), List.of(Samples.id(1))))
            .isInstanceOf(StoreCorruptException.class)
            .hasMessageContaining(Samples.id(1).toString());
        assertThatThrownBy(store::verify).isInstanceOf(StoreCorruptException.class);
        assertThat(Samples.read(store.chunks(), List.of(Samples.id(2))))
            .isEqualTo(Map.of(Samples.id(2), Samples.content(2, 5000)));
      }
      flip(chunkFile(1), at);
    }
  }

  @Test
  void chunk_thatIsCut_isNamed() throws IOException {
    byte[] bytes = Files.readAllBytes(chunkFile(1));
    Files.write(chunkFile(1), java.util.Arrays.copyOf(bytes, 100));
    try (HotStore store = open()) {
      assertThatThrownBy(() -> Samples.read(store.chunks(), List.of(Samples.id(1))))
          .isInstanceOf(StoreCorruptException.class);
    }
  }

  @Test
  void log_withFlippedBit_isNotOpened() throws IOException {
    Path log = directory.resolve("log-0");
    for (int at = 0; at < Files.size(log); at += 3) {
      flip(log, at);
      assertThatThrownBy(this::open)
          .as("byte %s", at)
          .isInstanceOf(StoreCorruptException.class)
          .hasMessageContaining("log-0");
      flip(log, at);
    }
    assertThat(value()).isEqualTo("two");
  }

  @Test
  void log_thatIsCut_isNotOpened() throws IOException {
    Path log = directory.resolve("log-0");
    byte[] bytes = Files.readAllBytes(log);
    Files.write(log, java.util.Arrays.copyOf(bytes, bytes.length - 1));
    assertThatThrownBy(this::open).isInstanceOf(StoreCorruptException.class);
    Files.write(log, bytes);
    Files.write(log, new byte[] {1, 2, 3}, StandardOpenOption.APPEND);
    assertThat(value()).isEqualTo("two");
  }

  /** A slot is lost; the commit it promised is not. */
  @Test
  void head_withOneSlotDamaged_losesNoCommit() throws IOException {
    Path head = directory.resolve("head");
    for (int slot = 0; slot < 2; slot++) {
      flip(head, slot * 4096 + 17);
      assertThat(value()).isEqualTo("two");
      try (HotStore store = open()) {
        commit(store, "one");
        commit(store, "two");
      }
    }
    flip(head, 17);
    flip(head, 4096 + 17);
    assertThatThrownBy(this::open)
        .isInstanceOf(StoreCorruptException.class)
        .hasMessageContaining("head");
  }

  @Test
  void log_ofManyChanges_isWrittenAnew() throws IOException {
    Bytes large = Samples.content(9, 200_000);
    try (HotStore store = open()) {
      for (int i = 0; i < 20; i++) {
        store.records().commit(new RecordBatch().put(Space.PACK, KEY, large), Durability.SYNC);
      }
    }
    open().close();
    assertThat(directory.resolve("log-0")).doesNotExist();
    assertThat(Files.size(directory.resolve("log-1"))).isLessThan(300_000);
    try (HotStore store = open()) {
      assertThat(Samples.scan(store.records(), Space.PACK, RecordRange.ALL))
          .isEqualTo(Map.of(KEY, large));
    }
    assertThat(value()).isEqualTo("two");
  }

  @Test
  void format_ofAnotherVersion_isNotOpened() throws IOException {
    Files.writeString(directory.resolve("format"), "deltabox file hot 2\n");
    assertThatThrownBy(this::open)
        .isInstanceOf(StoreFormatException.class)
        .hasMessageContaining("file hot 2");
    URI address = URI.create("file:" + directory);
    assertThatThrownBy(() -> Stores.openCold(address, OpenOptions.create()))
        .isInstanceOf(StoreFormatException.class);
  }

  @Test
  void unsyncedWork_isLostWithTheProcess() throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String classPath = System.getProperty("java.class.path");
    Process child =
        new ProcessBuilder(java, "-cp", classPath, Half.class.getName(), directory.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(child.waitFor()).as(said).isEqualTo(3);
    try (HotStore store = open()) {
      assertThat(store.records().get(Space.REF, KEY)).contains(Bytes.of("three"));
      assertThat(store.records().get(Space.REF, Bytes.of("later"))).isEmpty();
      assertThat(store.chunks().has(List.of(Samples.id(10), Samples.id(11))))
          .containsExactly(Samples.id(10));
    }
  }

  /** Promises the first half of its work and ends without a word. */
  static final class Half {
    private Half() {}

    public static void main(String[] args) throws StoreException {
      HotStore store = Stores.openHot(URI.create("file:" + args[0]), OpenOptions.write());
      store.chunks().write(List.of(Samples.chunk(Samples.id(10), Bytes.of("kept"))));
      commit(store, "three");
      store.chunks().write(List.of(Samples.chunk(Samples.id(11), Bytes.of("lost"))));
      RecordBatch later = new RecordBatch().put(Space.REF, Bytes.of("later"), Bytes.of("x"));
      store.records().commit(later, Durability.BUFFERED);
      Runtime.getRuntime().halt(3);
    }
  }
}
