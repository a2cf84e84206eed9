package io.deltabox.store.rocksdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.store.HotStore;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.testkit.Samples;
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

  private long killed(Path directory, Random random, long before, String where) throws Exception {
    long durable;
    try (Child child = Child.start(scratch, directory, random.nextLong(), 1 + random.nextInt(3))) {
      run(child, random);
      child.kill();
      while (child.hear()) {}
      durable = Math.max(before, child.durable());
    }
    try (HotStore store = TestStore.open(directory, SMALL)) {
      long head = Lineage.assertWhole(store, where);
      assertThat(head).as(where).isGreaterThanOrEqualTo(durable);
      store.verify();
      return head;
    }
  }

  /** Some steps, and up to two milliseconds more, so that any moment of a step is met. */
  private static void run(Child child, Random random) throws Exception {
    for (int steps = 1 + random.nextInt(random.nextInt(3) == 0 ? 150 : 30); steps > 0; steps--) {
      assertThat(child.hear()).isTrue();
    }
    long until = System.nanoTime() + random.nextInt(2_000_000);
    while (System.nanoTime() < until) {
      Thread.onSpinWait();
    }
  }

  /**
   * A loss of power: what the file system has not sent to its disk is gone. The disk is a file,
   * copied while the process that writes is stopped wherever it happens to be.
   */
  @Test
  void powerCut_atRandomMoments_losesOnlyWhatWasNotSynced() throws Exception {
    long seed = Samples.seed("power");
    Random random = new Random(seed);
    Path image = scratch.resolve("disk");
    Path copy = scratch.resolve("copy");
    int cuts = Samples.count(8, 60);
    int lost = 0;
    try (TestMount disk = TestMount.newExt4(image, DISK_BYTES, scratch.resolve("m"));
        Child child = Child.start(scratch, disk.path().resolve("store"), random.nextLong(), 4)) {
      for (int i = 0; i < cuts; i++) {
        run(child, random);
        child.pause();
        child.hearTheRest();
        disk.copyImage(image, copy);
        String where = "seed=" + seed + " cut=" + i + " done=" + child.done();
        long head = restored(copy, child.durable(), where);
        lost += head < child.done() ? 1 : 0;
        child.resume();
      }
      System.out.println("POWER CUTS " + cuts + " steps " + child.done() + " lost some " + lost);
    }
    assertThat(lost).as("nothing was ever lost, so nothing is proven").isPositive();
  }

  /** The newest step that is still there. */
  private long restored(Path copy, long durable, String where) throws Exception {
    try (TestMount disk = TestMount.ext4(copy, scratch.resolve("m2"));
        HotStore store = TestStore.open(disk.path().resolve("store"), SMALL)) {
      long head = Lineage.assertWhole(store, where);
      assertThat(head).as(where).isGreaterThanOrEqualTo(durable);
      store.verify();
      return head;
    }
  }
}
