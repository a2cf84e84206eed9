package io.deltabox.store.testkit;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.store.Bytes;
import io.deltabox.store.ColdStore;
import io.deltabox.store.ObjectInfo;
import io.deltabox.store.ObjectName;
import io.deltabox.store.ObjectStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.Register;
import io.deltabox.store.StoreClosedException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreMissingException;
import io.deltabox.store.StoreReadOnlyException;
import io.deltabox.store.StoreUndecidedException;
import io.deltabox.store.Stores;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@link ObjectStore} and {@link Register} say. Two stores are open on one address. */
public abstract class ColdStoreContract {
  private static final int WRITERS = 4;

  private final List<ColdStore> opened = new ArrayList<>();

  /** An address under which there is no store yet; another one each time. */
  protected abstract URI newAddress() throws Exception;

  @BeforeEach
  final void openStores() throws Exception {
    URI address = newAddress();
    assertThatThrownBy(() -> Stores.openCold(address, OpenOptions.write()))
        .isInstanceOf(StoreMissingException.class);
    opened.add(Stores.openCold(address, OpenOptions.create()));
    opened.add(Stores.openCold(address, OpenOptions.create()));
    opened.add(Stores.openCold(address, OpenOptions.read()));
  }

  @AfterEach
  final void closeStores() throws StoreException {
    for (ColdStore store : opened) {
      store.close();
    }
  }

  private ObjectStore here() {
    return opened.get(0).objects();
  }

  private ObjectStore there() {
    return opened.get(1).objects();
  }

  private static ObjectName name(String text) {
    return new ObjectName(text);
  }

  private static Bytes read(ObjectStore objects, ObjectName name, long offset, int bytes)
      throws StoreException {
    ByteBuffer buffer = ByteBuffer.allocate(bytes);
    int got = objects.read(name, offset, buffer);
    assertThat(buffer.position()).isEqualTo(got);
    return Bytes.of(buffer.flip());
  }

  private static List<String> list(ObjectStore objects, String prefix) throws StoreException {
    List<String> names = new ArrayList<>();
    try (ObjectStore.Cursor cursor = objects.list(prefix)) {
      while (cursor.next()) {
        names.add(cursor.info().name().text());
      }
    }
    return names;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 100_000, 9_000_000})
  public void read_ofWholeAndParts_givesTheBytes(int length) throws StoreException {
    Bytes content = Samples.content(3, length);
    ObjectName name = name("data/aa/one.pack");
    assertThat(here().putIfAbsent(name, Samples.direct(content)))
        .isEqualTo(ObjectStore.Put.CREATED);
    assertThat(there().head(name)).contains(new ObjectInfo(name, length));
    assertThat(read(there(), name, 0, length + 10)).isEqualTo(content);
    int middle = length / 2;
    assertThat(read(there(), name, middle, length - middle))
        .isEqualTo(Bytes.of(content.buffer().position(middle)));
    assertThat(read(there(), name, length, 5)).isEqualTo(Bytes.EMPTY);
    assertThat(read(there(), name, length + 100L, 5)).isEqualTo(Bytes.EMPTY);
  }

  @Test
  public void putIfAbsent_again_keepsTheFirst() throws StoreException {
    ObjectName name = name("one");
    here().putIfAbsent(name, Bytes.of("first").buffer());
    assertThat(there().putIfAbsent(name, Bytes.of("second").buffer()))
        .isEqualTo(ObjectStore.Put.EXISTS);
    assertThat(read(here(), name, 0, 100)).isEqualTo(Bytes.of("first"));
    there().delete(List.of(name));
    assertThat(here().putIfAbsent(name, Bytes.of("third").buffer()))
        .isEqualTo(ObjectStore.Put.CREATED);
  }

  @Test
  public void putIfAbsent_inARace_hasOneWinner() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try {
      for (int round = 0; round < 40; round++) {
        ObjectName name = name("race/" + round);
        List<Future<Boolean>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          Bytes content = Samples.content(i, 20_000);
          ObjectStore objects = i % 2 == 0 ? here() : there();
          Callable<Boolean> put =
              () ->
                  objects.putIfAbsent(name, content.buffer()) == ObjectStore.Put.CREATED
                      && read(objects, name, 0, 30_000).equals(content);
          all.add(pool.submit(put));
        }
        int winners = 0;
        for (Future<Boolean> one : all) {
          winners += one.get() ? 1 : 0;
        }
        assertThat(winners).isEqualTo(1);
      }
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  public void missingObjects_areNamed() throws StoreException {
    ObjectName none = name("not/there");
    assertThat(here().head(none)).isEmpty();
    assertThatThrownBy(() -> read(here(), none, 0, 1))
        .isInstanceOf(StoreMissingException.class)
        .hasMessageContaining("not/there");
    here().delete(List.of(none, none));
  }

  @Test
  public void list_ofMany_isCompleteAndOrdered() throws StoreException {
    TreeSet<String> names = new TreeSet<>();
    for (int i = 0; i < 1200; i++) {
      names.add("many/" + (i % 7) + "/object-" + i);
    }
    names.add("many.x");
    names.add("manx");
    for (String text : names) {
      here().putIfAbsent(name(text), Bytes.of(text).buffer());
    }
    for (String prefix : List.of("", "many", "many/", "many/3/", "many/3/object-1", "none")) {
      assertThat(list(there(), prefix))
          .containsExactlyElementsOf(names.stream().filter(n -> n.startsWith(prefix)).toList());
    }
    there()
        .delete(names.stream().filter(n -> n.startsWith("many/3")).map(ObjectName::new).toList());
    names.removeIf(n -> n.startsWith("many/3"));
    assertThat(list(here(), "")).containsExactlyElementsOf(names);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/a", "a/", "a//b", "../a", "a/../b", ".a", "A", "a b", "a\0"})
  public void names_thatMeanSomethingElsewhere_areRefused(String text) {
    assertThatThrownBy(() -> name(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  public void openForReading_refusesEveryChange() throws StoreException {
    here().putIfAbsent(name("a"), Bytes.of("x").buffer());
    ColdStore reader = opened.get(2);
    assertThat(read(reader.objects(), name("a"), 0, 5)).isEqualTo(Bytes.of("x"));
    assertThatThrownBy(() -> reader.objects().putIfAbsent(name("b"), Bytes.EMPTY.buffer()))
        .isInstanceOf(StoreReadOnlyException.class);
    assertThatThrownBy(() -> reader.objects().delete(List.of(name("a"))))
        .isInstanceOf(StoreReadOnlyException.class);
    assertThatThrownBy(
            () -> reader.register(name("r")).compareAndSet(Register.ABSENT, Bytes.of("x")))
        .isInstanceOf(StoreReadOnlyException.class);
  }

  @Test
  public void register_isReadAsItWasSet() throws StoreException {
    Register mine = opened.get(0).register(name("heads/a"));
    Register theirs = opened.get(1).register(name("heads/a"));
    assertThat(theirs.read()).isEmpty();
    long version = set(mine.compareAndSet(Register.ABSENT, Bytes.of("one")));
    assertThat(theirs.read()).contains(new Register.Versioned(version, Bytes.of("one")));
    Register.Result lost = theirs.compareAndSet(Register.ABSENT, Bytes.of("two"));
    assertThat(lost)
        .isEqualTo(
            new Register.Result.Lost(
                Optional.of(new Register.Versioned(version, Bytes.of("one")))));
    long next = set(theirs.compareAndSet(version, Bytes.of("two")));
    assertThat(next).isGreaterThan(version);
    assertThat(mine.compareAndSet(version, Bytes.of("three")))
        .isInstanceOf(Register.Result.Lost.class);
    assertThat(mine.read()).contains(new Register.Versioned(next, Bytes.of("two")));
    assertThat(opened.get(0).register(name("heads/b")).read()).isEmpty();
  }

  private static long set(Register.Result result) {
    assertThat(result).isInstanceOf(Register.Result.Set.class);
    return ((Register.Result.Set) result).version();
  }

  /** Counters raised by compare-and-set from two stores: one of all steps, one of each writer. */
  @Test
  public void register_underManyWriters_losesNoStep() throws Exception {
    int steps = 30;
    ExecutorService pool = Executors.newFixedThreadPool(WRITERS);
    try {
      List<Future<Integer>> all = new ArrayList<>();
      for (int i = 0; i < WRITERS; i++) {
        Register register = opened.get(i % 2).register(name("heads/counter"));
        int writer = i;
        Callable<Integer> raise = () -> raise(register, writer, steps);
        all.add(pool.submit(raise));
      }
      for (Future<Integer> one : all) {
        one.get();
      }
    } finally {
      pool.shutdownNow();
    }
    int[] counts = counts(opened.get(0).register(name("heads/counter")).read());
    assertThat(counts).containsExactly(steps, steps, steps, steps, WRITERS * steps);
  }

  private static int[] counts(Optional<Register.Versioned> now) {
    String text = now.map(v -> v.value().text()).orElse("0 0 0 0 0");
    return Arrays.stream(text.split(" ", -1)).mapToInt(Integer::parseInt).toArray();
  }

  private static int raise(Register register, int writer, int steps) throws StoreException {
    int undecided = 0;
    for (int done = 0; done < steps; ) {
      Optional<Register.Versioned> now = register.read();
      int[] counts = counts(now);
      assertThat(counts[writer]).isEqualTo(done);
      counts[writer]++;
      counts[WRITERS]++;
      String next = Arrays.stream(counts).mapToObj(Integer::toString).collect(joining(" "));
      long version = now.map(Register.Versioned::version).orElse(Register.ABSENT);
      try {
        Register.Result result = register.compareAndSet(version, Bytes.of(next));
        done += result instanceof Register.Result.Set ? 1 : 0;
      } catch (StoreUndecidedException e) {
        undecided++;
        done = counts(register.read())[writer];
      }
    }
    return undecided;
  }

  @Test
  public void calls_afterClose_areRefused() throws StoreException {
    ColdStore store = opened.get(0);
    ObjectStore objects = here();
    store.close();
    store.close();
    assertThatThrownBy(() -> objects.head(name("a"))).isInstanceOf(StoreClosedException.class);
    assertThatThrownBy(() -> objects.list("")).isInstanceOf(StoreClosedException.class);
    assertThatThrownBy(() -> objects.putIfAbsent(name("a"), Bytes.EMPTY.buffer()))
        .isInstanceOf(StoreClosedException.class);
  }
}
