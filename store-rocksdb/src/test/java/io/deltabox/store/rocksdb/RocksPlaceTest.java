package io.deltabox.store.rocksdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.store.Bytes;
import io.deltabox.store.Durability;
import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.Space;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreFullException;
import io.deltabox.store.StoreInUseException;
import io.deltabox.store.StoreReadOnlyException;
import io.deltabox.store.testkit.Samples;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the store lies: full, read-only, in use; and where its code is unpacked. */
final class RocksPlaceTest {
  @TempDir Path scratch;

  @Test
  void write_withDiskFull_saysSoAndLosesNothing() throws Exception {
    try (TestMount disk = TestMount.tmpfs(scratch.resolve("disk"), "size=64m")) {
      Path ballast = disk.path().resolve("ballast");
      Files.write(ballast, new byte[40 << 20]);
      Path directory = disk.path().resolve("store");
      int acknowledged;
      try (HotStore store = TestStore.open(directory, OpenOptions.create())) {
        acknowledged = fillUntilFull(store);
        assertThat(acknowledged).isGreaterThan(5);
        assertWhole(store, acknowledged);
        Files.delete(ballast);
        stepWhenThereIsRoom(store, acknowledged);
        assertWhole(store, acknowledged + 1);
      }
      try (HotStore store = TestStore.open(directory, OpenOptions.write())) {
        assertWhole(store, acknowledged + 1);
        store.verify();
      }
    }
  }

  /** The log is whole and synced, so there is nothing left to write. */
  @Test
  void close_withDiskFull_keepsEverything() throws Exception {
    try (TestMount disk = TestMount.tmpfs(scratch.resolve("disk"), "size=64m")) {
      Path ballast = disk.path().resolve("ballast");
      Files.write(ballast, new byte[40 << 20]);
      Path directory = disk.path().resolve("store");
      HotStore full = TestStore.open(directory, OpenOptions.create());
      int acknowledged = fillUntilFull(full);
      full.close();
      full.close();
      Files.delete(ballast);
      try (HotStore store = TestStore.open(directory, OpenOptions.write())) {
        assertWhole(store, acknowledged);
        step(store, acknowledged);
        store.verify();
      }
    }
  }

  /** The database looks for room by itself, every five seconds. */
  private static void stepWhenThereIsRoom(HotStore store, int number) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    for (; ; ) {
      try {
        step(store, number);
        return;
      } catch (StoreFullException e) {
        if (System.nanoTime() > deadline) {
          throw e;
        }
        TimeUnit.MILLISECONDS.sleep(50);
      }
    }
  }

  private static int fillUntilFull(HotStore store) throws StoreException {
    for (int i = 0; i < 1000; i++) {
      try {
        step(store, i);
      } catch (StoreFullException e) {
        assertThat(e).hasMessageContaining("make room");
        return i;
      }
    }
    throw new AssertionError("the disk is never full");
  }

  private static void step(HotStore store, int number) throws StoreException {
    store.chunks().write(List.of(Samples.chunk(Samples.id(number), content(number))));
    RecordBatch batch = new RecordBatch().put(Space.MANIFEST, key(number), Bytes.of("v"));
    assertThat(store.records().commit(batch, Durability.SYNC).committed()).isTrue();
  }

  private static void assertWhole(HotStore store, int count) throws StoreException {
    for (int i = 0; i < count; i++) {
      assertThat(store.records().get(Space.MANIFEST, key(i))).contains(Bytes.of("v"));
      assertThat(Samples.read(store.chunks(), List.of(Samples.id(i))))
          .isEqualTo(Map.of(Samples.id(i), content(i)));
    }
  }

  private static Bytes key(int number) {
    return Bytes.of("step" + number);
  }

  private static Bytes content(int number) {
    return Samples.content(number, 400_000);
  }

  @Test
  void open_onReadOnlyDisk_isForReadingOnly() throws Exception {
    try (TestMount disk = TestMount.tmpfs(scratch.resolve("disk"), "size=48m")) {
      Path directory = TestStore.inLog(disk.path().resolve("store"));
      disk.remount("ro");
      assertThatThrownBy(() -> TestStore.open(directory, OpenOptions.write()))
          .isInstanceOf(StoreReadOnlyException.class)
          .hasMessageContaining(directory.toString());
      assertThatThrownBy(() -> TestStore.open(disk.path().resolve("other"), OpenOptions.create()))
          .isInstanceOf(StoreReadOnlyException.class);
      try (HotStore store = TestStore.open(directory, OpenOptions.read())) {
        TestStore.assertWhole(store);
        store.verify();
      }
    }
  }

  @Test
  void open_whileAnotherProcessHasIt_namesItAndReadsBeside() throws Exception {
    Path directory = TestStore.inTables(scratch.resolve("store"));
    try (Child child = Child.start(scratch, directory, 1, 1)) {
      assertThat(child.hear()).isTrue();
      assertThatThrownBy(() -> TestStore.open(directory, OpenOptions.write()))
          .isInstanceOf(StoreInUseException.class)
          .hasMessageContaining(directory.toString())
          .hasMessageContaining("pid=" + child.pid());
      try (HotStore store = TestStore.open(directory, OpenOptions.read())) {
        assertThat(store.records().get(Space.MANIFEST, TestStore.key(1)))
            .contains(TestStore.value(1));
      }
    }
  }

  @Test
  void open_withTemporaryDirectoryNoexec_saysWhatToDo() throws Exception {
    try (TestMount disk = TestMount.tmpfs(scratch.resolve("tmp"), "size=64m,noexec")) {
      String said = Child.failing(disk.path(), scratch.resolve("store"));
      assertThat(said)
          .contains("StoreUnavailableException")
          .contains(disk.path().toString())
          .contains("-Djava.io.tmpdir");
    }
  }

  @Test
  void library_onceLoaded_leavesNothingBehind() throws Exception {
    Path temporary = Files.createDirectory(scratch.resolve("tmp"));
    try (Child child = Child.start(temporary, scratch.resolve("store"), 1, 1)) {
      assertThat(child.hear()).isTrue();
      try (var files = Files.list(temporary)) {
        assertThat(files.filter(file -> file.toString().contains("rocksdb"))).isEmpty();
      }
    }
  }
}
