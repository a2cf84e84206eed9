package io.deltabox.store.rocksdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.store.Bytes;
import io.deltabox.store.Durability;
import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.Space;
import io.deltabox.store.testkit.Samples;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a store keeps when its process or its machine ends in the middle. */
final class RocksCrashTest {
  private static final OpenOptions SMALL = new OpenOptions(OpenOptions.Access.CREATE, 2 << 20);

  private static final long DISK_BYTES = 64 << 20;

  @TempDir Path scratch;

  @Test
  void kill_atRandomMoments_losesNothingAcknowledged() throws Exception {
    long seed = Samples.seed("kill");
    Random random = new Random(seed);
    Path directory = scratch.resolve("store");
    int kills = Samples.count(10, 200);
    long last = 0;
    for (int i = 0; i < kills; i++) {
      last = killed(directory, random, last, "seed=" + seed + " kill=" + i);
    }
    System.out.println("KILLS " + kills + " steps " + last);
    assertThat(last).isGreaterThan(kills);
  }

  /** The child ends some acknowledgements and some microseconds after it began. */
  private long killed(Path directory, Random random, long before, String where) throws Exception {
    long acknowledged = before;
    try (Child child = Child.start(scratch, directory, random.nextLong())) {
      int wait = 1 + random.nextInt(random.nextInt(3) == 0 ? 150 : 30);
      for (int i = 0; i < wait; i++) {
        acknowledged = child.acknowledged();
        assertThat(acknowledged).as(where).isPositive();
      }
      long until = System.nanoTime() + random.nextInt(2_000_000);
      while (System.nanoTime() < until) {
        Thread.onSpinWait();
      }
      child.kill();
      for (long more = child.acknowledged(); more > 0; more = child.acknowledged()) {
        acknowledged = more;
      }
    }
    try (HotStore store = TestStore.open(directory, SMALL)) {
      long head = Lineage.assertWhole(store, where);
      assertThat(head).as(where).isGreaterThanOrEqualTo(acknowledged);
      store.verify();
      return head;
    }
  }

  /**
   * A loss of power: what the file system has not sent to its disk is gone. The disk is a file,
   * copied while the store is open.
   */
  @Test
  void powerCut_atRandomMoments_losesOnlyWhatWasNotSynced() throws Exception {
    long seed = Samples.seed("power");
    Random random = new Random(seed);
    Path image = scratch.resolve("disk");
    Path copy = scratch.resolve("copy");
    int cuts = Samples.count(6, 60);
    int lost = 0;
    long step = 0;
    long acknowledged = 0;
    try (TestMount disk = TestMount.newExt4(image, DISK_BYTES, scratch.resolve("m"));
        HotStore store = TestStore.open(disk.path().resolve("store"), SMALL)) {
      for (int i = 0; i < cuts; i++) {
        for (int steps = 1 + random.nextInt(60); steps > 0; steps--) {
          step++;
          if (Lineage.step(store, step, random.nextInt(4) == 0)) {
            acknowledged = step;
          }
        }
        // Seen by all, and promised to nobody.
        RecordBatch buffered = new RecordBatch().put(Space.PIN, key(i), Bytes.of("x"));
        store.records().commit(buffered, Durability.BUFFERED);
        assertThat(store.records().get(Space.PIN, key(i))).isPresent();
        Files.copy(image, copy);
        String where = "seed=" + seed + " cut=" + i + " step=" + step;
        lost += restored(copy, acknowledged, step, i, where);
        Files.delete(copy);
      }
    }
    System.out.println("POWER CUTS " + cuts + " steps " + step + " buffered commits lost " + lost);
    assertThat(lost).as("nothing was ever lost, so nothing is proven").isPositive();
  }

  private static Bytes key(int cut) {
    return Bytes.of("cut" + cut);
  }

  /** 1 if the buffered commit is lost. */
  private int restored(Path copy, long acknowledged, long step, int cut, String where)
      throws Exception {
    try (TestMount disk = TestMount.ext4(copy, scratch.resolve("m2"));
        HotStore store = TestStore.open(disk.path().resolve("store"), SMALL)) {
      assertThat(Lineage.assertWhole(store, where)).as(where).isBetween(acknowledged, step);
      store.verify();
      return store.records().get(Space.PIN, key(cut)).isPresent() ? 0 : 1;
    }
  }
}
