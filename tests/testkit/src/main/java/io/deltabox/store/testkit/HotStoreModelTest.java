package io.deltabox.store.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.store.Bytes;
import io.deltabox.store.Capability;
import io.deltabox.store.Chunk;
import io.deltabox.store.ChunkId;
import io.deltabox.store.CommitResult;
import io.deltabox.store.Durability;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.RecordRange;
import io.deltabox.store.Space;
import io.deltabox.store.StoreException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Random calls, each compared with what plain maps say. */
public abstract class HotStoreModelTest extends HotStoreFixture {
  private static final int KEYS = 40;
  private static final List<Space> SPACES = List.of(Space.values());

  private final TreeMap<ChunkId, Bytes> chunksExpected = new TreeMap<>();
  private final Map<Space, NavigableMap<Bytes, Bytes>> recordsExpected = new HashMap<>();

  @Test
  public void randomCalls_answerAsTheModel() throws StoreException {
    long seed = Samples.seed("model");
    Random random = new Random(seed);
    int steps = Samples.count(1500, 15_000);
    for (int step = 0; step < steps; step++) {
      step(random, seed + " step " + step);
    }
    assertSame("end of " + seed);
  }

  private void step(Random random, String where) throws StoreException {
    switch (random.nextInt(12)) {
      case 0, 1, 2 -> writeChunks(random);
      case 3 -> deleteChunks(random);
      case 4 -> readChunks(random, where);
      case 5, 6, 7, 8 -> commit(random, where);
      case 9 -> scan(random, where);
      case 10 -> get(random, where);
      default -> {
        if (random.nextInt(40) == 0) {
          again(where);
        }
      }
    }
  }

  private void again(String where) throws StoreException {
    if (store().capabilities().contains(Capability.DURABLE)) {
      reopen(OpenOptions.write());
    }
    assertSame(where);
  }

  private void assertSame(String where) throws StoreException {
    List<ChunkId> ids = Samples.ids(chunks(), new ChunkId(0, 0, 0, 0));
    assertThat(ids).as(where).containsExactlyElementsOf(chunksExpected.keySet());
    assertThat(Samples.read(chunks(), ids)).as(where).isEqualTo(chunksExpected);
    Map<Space, Map<Bytes, Bytes>> expected = new HashMap<>(recordsExpected);
    expected.values().removeIf(Map::isEmpty);
    assertThat(Samples.records(store())).as(where).isEqualTo(expected);
  }

  private static ChunkId someId(Random random) {
    return Samples.id(random.nextInt(KEYS));
  }

  private void writeChunks(Random random) throws StoreException {
    List<Chunk> some = new ArrayList<>();
    for (int i = random.nextInt(8); i >= 0; i--) {
      int number = random.nextInt(KEYS);
      Bytes content = Samples.content(number, 1 + number * 300);
      some.add(Samples.chunk(Samples.id(number), content));
      chunksExpected.put(Samples.id(number), content);
    }
    chunks().write(some);
  }

  private void deleteChunks(Random random) throws StoreException {
    List<ChunkId> some = new ArrayList<>();
    for (int i = random.nextInt(6); i >= 0; i--) {
      some.add(someId(random));
    }
    chunks().delete(some);
    some.forEach(chunksExpected::remove);
  }

  private void readChunks(Random random, String where) throws StoreException {
    List<ChunkId> some = new ArrayList<>();
    for (int i = random.nextInt(10); i >= 0; i--) {
      ChunkId id = someId(random);
      if (!some.contains(id)) {
        some.add(id);
      }
    }
    Map<ChunkId, Bytes> expected = new HashMap<>(chunksExpected);
    expected.keySet().retainAll(some);
    assertThat(Samples.read(chunks(), some)).as(where).isEqualTo(expected);
    assertThat(chunks().has(some)).as(where).isEqualTo(expected.keySet());
  }

  private static Space someSpace(Random random) {
    return SPACES.get(random.nextInt(SPACES.size()));
  }

  private static Bytes someKey(Random random) {
    return Samples.content(random.nextInt(KEYS), 1 + random.nextInt(3));
  }

  private NavigableMap<Bytes, Bytes> expected(Space space) {
    return recordsExpected.computeIfAbsent(space, s -> new TreeMap<>());
  }

  private void commit(Random random, String where) throws StoreException {
    RecordBatch batch = new RecordBatch();
    boolean holds = true;
    for (int i = random.nextInt(3); i > 0; i--) {
      Space space = someSpace(random);
      Bytes key = someKey(random);
      Optional<Bytes> now = Optional.ofNullable(expected(space).get(key));
      boolean right = random.nextInt(8) != 0;
      holds &= right;
      if (now.isPresent() == right) {
        batch.expect(space, key, now.orElse(Bytes.of("not there")));
      } else {
        batch.expectAbsent(space, key);
      }
    }
    for (int i = random.nextInt(5); i > 0; i--) {
      Space space = someSpace(random);
      Bytes key = someKey(random);
      if (random.nextInt(3) == 0) {
        batch.delete(space, key);
      } else {
        batch.put(space, key, Samples.bytes(random, random.nextInt(5000)));
      }
    }
    Durability durability = random.nextInt(4) == 0 ? Durability.SYNC : Durability.BUFFERED;
    CommitResult result = records().commit(batch, durability);
    assertThat(result.committed()).as(where).isEqualTo(holds);
    if (holds) {
      for (RecordBatch.Change change : batch.changes()) {
        if (change.value() == null) {
          expected(change.space()).remove(change.key());
        } else {
          expected(change.space()).put(change.key(), change.value());
        }
      }
    }
  }

  private void scan(Random random, String where) throws StoreException {
    Space space = someSpace(random);
    RecordRange range =
        random.nextBoolean()
            ? RecordRange.prefix(Samples.content(random.nextInt(KEYS), 1))
            : new RecordRange(someKey(random), someKey(random));
    Map<Bytes, Bytes> expected = new TreeMap<>(expected(space));
    expected.keySet().removeIf(key -> !range.contains(key));
    Map<Bytes, Bytes> found = Samples.scan(records(), space, range);
    assertThat(found).as(where).isEqualTo(expected);
    assertThat(found.keySet()).as(where).containsExactlyElementsOf(expected.keySet());
  }

  private void get(Random random, String where) throws StoreException {
    Space space = someSpace(random);
    Bytes key = someKey(random);
    assertThat(records().get(space, key))
        .as(where)
        .isEqualTo(Optional.ofNullable(expected(space).get(key)));
  }
}
