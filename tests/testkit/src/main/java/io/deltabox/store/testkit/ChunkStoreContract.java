package io.deltabox.store.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.store.Bytes;
import io.deltabox.store.Chunk;
import io.deltabox.store.ChunkId;
import io.deltabox.store.ChunkStore;
import io.deltabox.store.StoreException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@link ChunkStore} says. */
public abstract class ChunkStoreContract extends HotStoreFixture {
  private static final ChunkId FIRST = new ChunkId(0, 0, 0, 0);

  @ParameterizedTest
  @ValueSource(ints = {1, 15, 4096, 65_537, ChunkStore.BYTES_MAX})
  public void read_afterWrite_givesTheBytes(int length) throws StoreException {
    Bytes content = Samples.content(1, length);
    ChunkId id = Samples.id(1);
    chunks().write(List.of(Samples.chunk(id, content)));
    assertThat(Samples.read(chunks(), List.of(id))).isEqualTo(Map.of(id, content));
  }

  @Test
  public void write_fromBuffersOfAllKinds_leavesThemAsTheyWere() throws StoreException {
    Bytes content = Samples.content(2, 5000);
    ByteBuffer direct = Samples.direct(content);
    ByteBuffer part = ByteBuffer.allocate(6000);
    part.position(500).put(content.buffer()).flip().position(500);
    chunks()
        .write(List.of(new Chunk(Samples.id(1), direct), new Chunk(Samples.id(2), part.slice())));
    assertThat(direct.remaining()).isEqualTo(5000);
    assertThat(direct.position()).isZero();
    assertThat(Samples.read(chunks(), List.of(Samples.id(1), Samples.id(2))))
        .isEqualTo(Map.of(Samples.id(1), content, Samples.id(2), content));
  }

  @Test
  public void write_again_keepsOneOfBoth() throws StoreException {
    ChunkId id = Samples.id(7);
    chunks().write(List.of(Samples.chunk(id, Bytes.of("one"))));
    chunks().write(List.of(Samples.chunk(id, Bytes.of("two"))));
    assertThat(Samples.read(chunks(), List.of(id)).get(id)).isIn(Bytes.of("one"), Bytes.of("two"));
    assertThat(Samples.ids(chunks(), FIRST)).containsExactly(id);
  }

  @Test
  public void read_ofSomeThatAreMissing_namesThem() throws StoreException {
    chunks().write(List.of(Samples.chunk(Samples.id(1), Bytes.of("x"))));
    List<ChunkId> received = new ArrayList<>();
    Set<ChunkId> missing =
        chunks()
            .read(
                List.of(Samples.id(2), Samples.id(1), Samples.id(3)),
                (id, bytes) -> received.add(id));
    assertThat(received).containsExactly(Samples.id(1));
    assertThat(missing).containsExactlyInAnyOrder(Samples.id(2), Samples.id(3));
  }

  @Test
  public void read_whoseReceiverFails_passesTheFailureOn() throws StoreException {
    chunks().write(List.of(Samples.chunk(Samples.id(1), Bytes.of("x"))));
    StoreException failure = new StoreException("said the receiver");
    assertThatThrownBy(
            () ->
                chunks()
                    .read(
                        List.of(Samples.id(1)),
                        (id, bytes) -> {
                          throw failure;
                        }))
        .isSameAs(failure);
  }

  @Test
  public void read_handsOutBytesThatCannotBeWritten() throws StoreException {
    chunks().write(List.of(Samples.chunk(Samples.id(1), Bytes.of("x"))));
    chunks().read(List.of(Samples.id(1)), (id, bytes) -> assertThat(bytes.isReadOnly()).isTrue());
  }

  @Test
  public void has_ofMany_answersThoseThere() throws StoreException {
    List<ChunkId> all = LongStream.range(0, 1000).mapToObj(Samples::id).toList();
    List<Chunk> even = new ArrayList<>();
    for (int i = 0; i < 1000; i += 2) {
      even.add(Samples.chunk(all.get(i), Samples.content(i, 10)));
    }
    chunks().write(even);
    assertThat(chunks().has(all))
        .isEqualTo(even.stream().map(Chunk::id).collect(Collectors.toSet()));
    assertThat(chunks().has(List.of())).isEmpty();
  }

  @Test
  public void delete_ofSome_leavesTheOthers() throws StoreException {
    chunks()
        .write(
            List.of(
                Samples.chunk(Samples.id(1), Bytes.of("a")),
                Samples.chunk(Samples.id(2), Bytes.of("b"))));
    chunks().delete(List.of(Samples.id(1), Samples.id(3)));
    chunks().delete(List.of(Samples.id(1)));
    assertThat(chunks().has(List.of(Samples.id(1), Samples.id(2)))).containsExactly(Samples.id(2));
    assertThat(Samples.read(chunks(), List.of(Samples.id(1)))).isEmpty();
    chunks().write(List.of(Samples.chunk(Samples.id(1), Bytes.of("back"))));
    assertThat(Samples.read(chunks(), List.of(Samples.id(1))))
        .isEqualTo(Map.of(Samples.id(1), Bytes.of("back")));
  }

  @Test
  public void ids_fromAnywhere_comeInOrderOfUnsignedNumbers() throws StoreException {
    Random random = new Random(5);
    Map<ChunkId, Integer> written = new HashMap<>();
    List<Chunk> some = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      ChunkId id = Samples.id(random);
      int length = 1 + random.nextInt(9000);
      written.put(id, length);
      some.add(Samples.chunk(id, Samples.content(i, length)));
    }
    chunks().write(some);
    List<ChunkId> sorted = written.keySet().stream().sorted().toList();
    assertThat(Samples.ids(chunks(), FIRST)).isEqualTo(sorted);
    assertThat(Samples.ids(chunks(), sorted.get(200))).isEqualTo(sorted.subList(200, 500));
    assertThat(Samples.ids(chunks(), new ChunkId(-1, -1, -1, -1))).isEmpty();
    try (ChunkStore.Cursor cursor = chunks().ids(FIRST)) {
      while (cursor.next()) {
        assertThat(cursor.bytes()).isEqualTo(written.get(cursor.id()));
      }
    }
  }

  @Test
  public void ids_whileChunksComeAndGo_missNoneThatStays() throws StoreException {
    List<ChunkId> stay = LongStream.range(0, 300).mapToObj(Samples::id).sorted().toList();
    chunks().write(stay.stream().map(id -> Samples.chunk(id, Bytes.of("s"))).toList());
    List<ChunkId> seen = new ArrayList<>();
    try (ChunkStore.Cursor cursor = chunks().ids(FIRST)) {
      for (long other = 1000; cursor.next(); other++) {
        seen.add(cursor.id());
        chunks().write(List.of(Samples.chunk(Samples.id(other), Bytes.of("c"))));
        chunks().delete(List.of(Samples.id(other - 5)));
      }
    }
    assertThat(seen).isSorted().containsAll(stay);
  }

  @Test
  public void write_ofImpossibleChunks_isRefused() {
    ByteBuffer none = ByteBuffer.allocate(0);
    ByteBuffer long1 = ByteBuffer.allocate(ChunkStore.BYTES_MAX + 1);
    assertThatThrownBy(() -> new Chunk(Samples.id(1), none))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Chunk(Samples.id(1), long1))
        .isInstanceOf(IllegalArgumentException.class);
    List<Chunk> tooMany = new ArrayList<>();
    ByteBuffer bytes = ByteBuffer.allocate(ChunkStore.BYTES_MAX);
    for (long i = 0; i <= ChunkStore.WRITE_BYTES_MAX / ChunkStore.BYTES_MAX; i++) {
      tooMany.add(new Chunk(Samples.id(i), bytes));
    }
    assertThatThrownBy(() -> chunks().write(tooMany)).isInstanceOf(IllegalArgumentException.class);
  }
}
