package io.deltabox.snapshot.refs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.store.Bytes;
import io.deltabox.store.Durability;
import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.Space;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreFormatException;
import io.deltabox.store.Stores;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class NamesTest {
  private static final UUID ONE = new UUID(1, 1);
  private static final UUID TWO = new UUID(2, 2);

  private HotStore store;
  private Names names;

  @BeforeEach
  void open() throws StoreException {
    store = Stores.openHot(URI.create("memory:" + UUID.randomUUID()), OpenOptions.create());
    names = new Names(store.records());
  }

  @AfterEach
  void close() throws StoreException {
    store.close();
  }

  private Name made(String text, UUID to) throws StoreException {
    Names.Outcome outcome = names.move(text, null, to, Durability.SYNC);
    assertThat(outcome).isInstanceOf(Names.Outcome.Moved.class);
    return ((Names.Outcome.Moved) outcome).name();
  }

  @Test
  void move_ofNewName_isFound() throws Exception {
    Name name = made("s@ready", ONE);
    assertThat(names.find("s@ready")).contains(name);
    assertThat(name).isEqualTo(new Name("s@ready", ONE, 1));
    assertThat(names.find("s@other")).isEmpty();
  }

  @Test
  void move_ofKnownName_raisesGeneration() throws Exception {
    Name first = made("s@ready", ONE);
    names.move("s@ready", first, TWO, Durability.SYNC);
    assertThat(names.find("s@ready")).contains(new Name("s@ready", TWO, 2));
  }

  @Test
  void move_withOldKnowledge_losesAndTellsWhatIsThere() throws Exception {
    Name first = made("n", ONE);
    names.move("n", first, TWO, Durability.SYNC);
    Name now = new Name("n", TWO, 2);
    assertThat(names.move("n", first, ONE, Durability.SYNC))
        .isEqualTo(new Names.Outcome.Lost(java.util.Optional.of(now)));
    assertThat(names.move("n", null, ONE, Durability.SYNC))
        .isEqualTo(new Names.Outcome.Lost(java.util.Optional.of(now)));
    assertThat(names.find("n")).contains(now);
  }

  @Test
  void move_inBatch_isVisibleTogetherWithTheRest() throws Exception {
    Bytes manifest = Bytes.of("manifest");
    RecordBatch batch = new RecordBatch().put(Space.MANIFEST, Bytes.of("k"), manifest);
    names.move(batch, "n", null, ONE);
    assertThat(names.find("n")).isEmpty();
    assertThat(store.records().commit(batch, Durability.SYNC).committed()).isTrue();
    assertThat(names.find("n")).isPresent();
    RecordBatch late = new RecordBatch().put(Space.MANIFEST, Bytes.of("late"), manifest);
    names.move(late, "n", null, TWO);
    assertThat(store.records().commit(late, Durability.SYNC).committed()).isFalse();
    assertThat(store.records().get(Space.MANIFEST, Bytes.of("late"))).isEmpty();
  }

  @Test
  void remove_ofKnownName_makesItFree() throws Exception {
    Name name = made("n", ONE);
    RecordBatch batch = new RecordBatch();
    names.remove(batch, name);
    assertThat(store.records().commit(batch, Durability.SYNC).committed()).isTrue();
    assertThat(names.find("n")).isEmpty();
    made("n", TWO);
    RecordBatch again = new RecordBatch();
    names.remove(again, name);
    assertThat(store.records().commit(again, Durability.SYNC).committed()).isFalse();
  }

  @Test
  void list_givesThoseWithThePrefixInOrder() throws Exception {
    made("a@2", TWO);
    made("a@1", ONE);
    made("b@1", ONE);
    assertThat(names.list("a@")).extracting(Name::text).containsExactly("a@1", "a@2");
    assertThat(names.list("")).hasSize(3);
    assertThat(names.list("c")).isEmpty();
  }

  @Test
  void move_byManyAtOnce_losesNone() throws Exception {
    int threads = 4;
    int moves = 200;
    made("n", ONE);
    CyclicBarrier start = new CyclicBarrier(threads);
    Callable<Integer> mover =
        () -> {
          start.await();
          int lost = 0;
          for (int done = 0; done < moves; ) {
            Name known = names.find("n").orElseThrow();
            UUID to = UUID.randomUUID();
            if (names.move("n", known, to, Durability.BUFFERED) instanceof Names.Outcome.Moved) {
              done++;
            } else {
              lost++;
            }
          }
          return lost;
        };
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<Integer>> results = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        results.add(pool.submit(mover));
      }
      for (Future<Integer> result : results) {
        assertThat(result.get()).isNotNegative();
      }
    } finally {
      pool.shutdown();
    }
    assertThat(names.find("n").orElseThrow().generation()).isEqualTo(1 + threads * moves);
  }

  @Test
  void find_ofDamagedRecord_namesIt() throws Exception {
    Name name = made("n", ONE);
    byte[] whole = store.records().get(Space.REF, Bytes.of("n")).orElseThrow().toArray();
    for (int bit = 0; bit < 8 * whole.length; bit++) {
      byte[] damaged = whole.clone();
      damaged[bit / 8] ^= (byte) (1 << (bit % 8));
      put("n", damaged);
      assertThatThrownBy(() -> names.find("n"))
          .as("bit %d", bit)
          .isInstanceOfAny(StoreCorruptException.class, StoreFormatException.class)
          .hasMessageContaining("name=n");
    }
    for (int length = 0; length < whole.length; length++) {
      put("n", java.util.Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> names.find("n")).isInstanceOf(StoreCorruptException.class);
    }
    put("n", whole);
    assertThat(names.find("n")).contains(name);
  }

  private void put(String key, byte[] value) throws StoreException {
    RecordBatch batch = new RecordBatch().put(Space.REF, Bytes.of(key), Bytes.of(value));
    assertThat(store.records().commit(batch, Durability.SYNC).committed()).isTrue();
  }

  @Test
  void move_ofImpossibleName_isRefused() {
    assertThatThrownBy(() -> names.find("")).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> names.find("x".repeat(Names.NAME_BYTES_MAX + 1)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** As docs/format.md has it; must be read by all later versions. */
  @Test
  void find_ofRecordOfVersionOne_readsIt() throws Exception {
    String golden = "44424e4d01000000efcdab89674523011032547698badcfe0300000000000000" + "078e3eec";
    put("golden", java.util.HexFormat.of().parseHex(golden));
    Name expected = new Name("golden", new UUID(0x0123456789abcdefL, 0xfedcba9876543210L), 3);
    assertThat(names.find("golden")).contains(expected);
    names.move("golden", expected, ONE, Durability.SYNC);
    assertThat(names.find("golden")).contains(new Name("golden", ONE, 4));
  }
}
