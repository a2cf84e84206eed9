package io.deltabox.snapshot.journal;

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
import io.deltabox.store.Stores;
import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class JournalTest {
  private static final Instant TIME = Instant.ofEpochSecond(1_700_000_000, 123_456_789);

  private HotStore store;
  private Journal journal;

  @BeforeEach
  void open() throws StoreException {
    store = Stores.openHot(URI.create("memory:" + UUID.randomUUID()), OpenOptions.create());
    journal = new Journal(store.records(), "stream", Seal.NONE);
  }

  @AfterEach
  void close() throws StoreException {
    store.close();
  }

  private static JournalEntry entry(String body) {
    return new JournalEntry(TIME, "someone", "exec", Bytes.of(body));
  }

  private static void fill(Journal journal, int count) throws StoreException {
    for (int i = 0; i < count; i++) {
      journal.append(List.of(entry("entry " + i)), Durability.SYNC);
    }
  }

  private static List<String> bodies(Journal journal) throws StoreException {
    List<String> bodies = new ArrayList<>();
    journal.read(record -> bodies.add(record.entry().body().text()));
    return bodies;
  }

  @Test
  void read_givesWhatWasAppendedInOrder() throws Exception {
    journal.append(List.of(entry("a"), entry("b")), Durability.SYNC);
    journal.append(List.of(entry("c")), Durability.BUFFERED);
    List<JournalRecord> records = new ArrayList<>();
    journal.read(records::add);
    assertThat(records)
        .containsExactly(
            new JournalRecord(0, entry("a")),
            new JournalRecord(1, entry("b")),
            new JournalRecord(2, entry("c")));
    assertThat(journal.size()).isEqualTo(3);
    assertThat(journal.verify()).isEqualTo(new JournalCheck(3, ""));
  }

  @Test
  void read_ofStreamWithoutRecords_givesNone() throws Exception {
    assertThat(bodies(journal)).isEmpty();
    assertThat(journal.size()).isZero();
    assertThat(journal.verify().whole()).isTrue();
  }

  @Test
  void streams_doNotMix() throws Exception {
    Journal longer = new Journal(store.records(), "stream and more", Seal.NONE);
    Journal other = new Journal(store.records(), "s", Seal.NONE);
    fill(journal, 2);
    fill(longer, 3);
    fill(other, 1);
    assertThat(bodies(journal)).hasSize(2);
    assertThat(bodies(longer)).hasSize(3);
    assertThat(Journal.streams(store.records()))
        .containsExactlyInAnyOrder("stream", "stream and more", "s");
  }

  @Test
  void append_toBatch_isVisibleTogetherWithTheRest() throws Exception {
    RecordBatch batch = new RecordBatch().put(Space.MANIFEST, Bytes.of("k"), Bytes.of("v"));
    journal.append(batch, List.of(entry("with it")));
    assertThat(bodies(journal)).isEmpty();
    RecordBatch faster = new RecordBatch();
    journal.append(faster, List.of(entry("faster")));
    assertThat(store.records().commit(faster, Durability.SYNC).committed()).isTrue();
    assertThat(store.records().commit(batch, Durability.SYNC).committed()).isFalse();
    assertThat(store.records().get(Space.MANIFEST, Bytes.of("k"))).isEmpty();
    assertThat(bodies(journal)).containsExactly("faster");
  }

  @Test
  void append_byManyAtOnce_keepsOneChain() throws Exception {
    int threads = 4;
    int each = 100;
    CyclicBarrier start = new CyclicBarrier(threads);
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<?>> results = new ArrayList<>();
      for (int thread = 0; thread < threads; thread++) {
        String name = "t" + thread + " ";
        results.add(
            pool.submit(
                () -> {
                  start.await();
                  for (int i = 0; i < each; i++) {
                    journal.append(List.of(entry(name + i)), Durability.BUFFERED);
                  }
                  return null;
                }));
      }
      for (Future<?> result : results) {
        result.get();
      }
    } finally {
      pool.shutdown();
    }
    assertThat(journal.verify()).isEqualTo(new JournalCheck((long) threads * each, ""));
    List<String> found = bodies(journal);
    for (int thread = 0; thread < threads; thread++) {
      String name = "t" + thread + " ";
      List<String> own = found.stream().filter(body -> body.startsWith(name)).toList();
      assertThat(own).hasSize(each);
      for (int i = 0; i < each; i++) {
        assertThat(own.get(i)).isEqualTo(name + i);
      }
    }
  }

  @Test
  void verify_ofAnyFlippedBit_namesTheFirstBadRecord() throws Exception {
    fill(journal, 5);
    Random random = new Random(7);
    for (int record = 0; record < 5; record++) {
      Bytes key = JournalFormat.recordKey("stream", record);
      byte[] whole = store.records().get(Space.JOURNAL, key).orElseThrow().toArray();
      for (int trial = 0; trial < 40; trial++) {
        int bit = random.nextInt(8 * whole.length);
        byte[] damaged = whole.clone();
        damaged[bit / 8] ^= (byte) (1 << (bit % 8));
        put(key, Bytes.of(damaged));
        // Of a version nobody knows it says so; all else is found at once or by the next record.
        if (bit / 8 < 4 || bit / 8 > 5) {
          JournalCheck check = journal.verify();
          assertThat(check.whole()).as("record %d bit %d", record, bit).isFalse();
          assertThat(check.records()).isBetween((long) record, record + 1L);
          assertThat(check.damage()).contains("stream=stream");
        }
      }
      put(key, Bytes.of(whole));
    }
    assertThat(journal.verify()).isEqualTo(new JournalCheck(5, ""));
  }

  @Test
  void verify_ofMissingRecord_namesIt() throws Exception {
    fill(journal, 5);
    for (int record : new int[] {0, 2, 4}) {
      Bytes key = JournalFormat.recordKey("stream", record);
      Bytes whole = store.records().get(Space.JOURNAL, key).orElseThrow();
      commit(new RecordBatch().delete(Space.JOURNAL, key));
      JournalCheck check = journal.verify();
      assertThat(check.records()).isEqualTo(record);
      assertThat(check.damage()).contains("record=" + record).contains("missing");
      put(key, whole);
    }
  }

  @Test
  void verify_ofExchangedOrForgedRecords_namesThem() throws Exception {
    fill(journal, 4);
    Bytes first = JournalFormat.recordKey("stream", 1);
    Bytes second = JournalFormat.recordKey("stream", 2);
    Bytes one = store.records().get(Space.JOURNAL, first).orElseThrow();
    Bytes two = store.records().get(Space.JOURNAL, second).orElseThrow();
    put(first, two);
    put(second, one);
    assertThat(journal.verify().damage()).contains("record=1");
    // A record written anew with another content no longer carries the one after it.
    Bytes zero =
        store.records().get(Space.JOURNAL, JournalFormat.recordKey("stream", 0)).orElseThrow();
    Bytes link = JournalFormat.hash(JournalFormat.recordKey("stream", 0), zero);
    put(first, JournalFormat.write("stream", 1, link, entry("forged"), Seal.NONE));
    put(second, two);
    assertThat(journal.verify().records()).isEqualTo(2);
    assertThat(journal.verify().damage()).contains("record=2");
  }

  @Test
  void verify_ofForgedLastRecord_namesIt() throws Exception {
    fill(journal, 2);
    Bytes zero =
        store.records().get(Space.JOURNAL, JournalFormat.recordKey("stream", 0)).orElseThrow();
    Bytes link = JournalFormat.hash(JournalFormat.recordKey("stream", 0), zero);
    put(
        JournalFormat.recordKey("stream", 1),
        JournalFormat.write("stream", 1, link, entry("forged"), Seal.NONE));
    assertThat(journal.verify().damage()).contains("record=1");
  }

  @Test
  void read_ofDamagedContent_isRefusedWithoutLargeAllocation() throws Exception {
    Random random = new Random(11);
    Bytes key = JournalFormat.recordKey("stream", 0);
    for (int trial = 0; trial < 2000; trial++) {
      byte[] content = new byte[random.nextInt(60)];
      random.nextBytes(content);
      Bytes header =
          JournalFormat.write("stream", 0, JournalFormat.Head.EMPTY.last(), entry(""), Seal.NONE);
      byte[] value = Arrays.copyOf(header.toArray(), 48 + content.length);
      System.arraycopy(content, 0, value, 48, content.length);
      put(key, Bytes.of(value));
      put(
          JournalFormat.headKey("stream"),
          JournalFormat.write(new JournalFormat.Head(1, JournalFormat.hash(key, Bytes.of(value)))));
      try {
        journal.read(record -> assertThat(record.entry().body().length()).isLessThan(60));
      } catch (StoreCorruptException e) {
        assertThat(e).hasMessageContaining("stream=stream");
      }
    }
  }

  @Test
  void append_whenSealed_hidesContentAndBindsItToItsPlace() throws Exception {
    Seal seal = new TestSeal();
    Journal sealed = new Journal(store.records(), "sealed", seal);
    fill(sealed, 2);
    Bytes key = JournalFormat.recordKey("sealed", 0);
    Bytes value = store.records().get(Space.JOURNAL, key).orElseThrow();
    assertThat(new String(value.toArray(), java.nio.charset.StandardCharsets.ISO_8859_1))
        .doesNotContain("entry")
        .doesNotContain("someone");
    assertThat(bodies(sealed)).containsExactly("entry 0", "entry 1");
    assertThatThrownBy(() -> bodies(new Journal(store.records(), "sealed", Seal.NONE)))
        .isInstanceOf(StoreCorruptException.class);
  }

  /** As docs/format.md has it; must be read by all later versions. */
  @Test
  void read_ofStreamOfVersionOne_givesItsRecords() throws Exception {
    HexFormat hex = HexFormat.of();
    String key = "0006" + "676f6c64656e"; // golden
    String first =
        "44424a5201000000"
            + "0000000000000000"
            + "00".repeat(32)
            + "00f153650000000015cd5b0707000000736f6d656f6e65040000006578656305"
            + "0000006669727374";
    String second =
        "44424a5201000000"
            + "0100000000000000"
            + "933e0a9ba119d0756651264a4e42b2d092c9801c2efcdd3e0a8e03f1bdc46cb3"
            + "00f153650000000015cd5b0707000000736f6d656f6e65040000006578656306"
            + "0000007365636f6e64";
    String head =
        "44424a4801000000"
            + "0200000000000000"
            + "67f00a8db2232c36256024fd0f54db59f08449c313334fc36c6db623ccb63172";
    put(Bytes.of(hex.parseHex(key)), Bytes.of(hex.parseHex(head)));
    put(Bytes.of(hex.parseHex(key + "0000000000000000")), Bytes.of(hex.parseHex(first)));
    put(Bytes.of(hex.parseHex(key + "0000000000000001")), Bytes.of(hex.parseHex(second)));
    Journal golden = new Journal(store.records(), "golden", Seal.NONE);
    assertThat(bodies(golden)).containsExactly("first", "second");
    golden.append(List.of(entry("third")), Durability.SYNC);
    assertThat(golden.verify()).isEqualTo(new JournalCheck(3, ""));
  }

  private void put(Bytes key, Bytes value) throws StoreException {
    commit(new RecordBatch().put(Space.JOURNAL, key, value));
  }

  private void commit(RecordBatch batch) throws StoreException {
    assertThat(store.records().commit(batch, Durability.SYNC).committed()).isTrue();
  }

  /** Hides bytes with the hash of their place. */
  private static final class TestSeal implements Seal {
    @Override
    public byte[] seal(byte[] plain, byte[] place) {
      byte[] mask = JournalFormat.hash(Bytes.of(place), Bytes.of("key")).toArray();
      byte[] sealed = plain.clone();
      for (int i = 0; i < sealed.length; i++) {
        sealed[i] ^= (byte) (mask[i % mask.length] | 0x80);
      }
      return sealed;
    }

    @Override
    public byte[] open(byte[] sealed, byte[] place) {
      return seal(sealed, place);
    }
  }
}
