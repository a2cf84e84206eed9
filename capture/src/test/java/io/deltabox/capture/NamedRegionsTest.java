package io.deltabox.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.capture.descriptors.Devices;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which mappings of a snapshot of another container need not be made anew. */
final class NamedRegionsTest {
  private static final Devices THERE = new Devices(7);
  private static final Devices HERE = new Devices(8);
  private static final String LIBRARY = "/usr/lib/libc.so.6";

  private static Region region(long device, long inode, int flags, String name) {
    return new Region(0x1000, 0x3000, 0, inode, device, Region.READ | flags, name, 0);
  }

  private static List<RegionPlan.Step> plan(Region wanted, Region live) {
    return RegionPlan.plan(List.of(live), NamedRegions.of(List.of(wanted), List.of(live), HERE));
  }

  @Test
  void of_sameNameInAnotherContainer_isKept() {
    Region wanted = region(THERE.marked(41), 12, 0, LIBRARY);
    assertThat(plan(wanted, region(HERE.marked(52), 12, 0, LIBRARY))).isEmpty();
    assertThat(plan(wanted, region(HERE.marked(52), 99, 0, LIBRARY))).isEmpty();
  }

  @Test
  void of_nameThatWasRemoved_isMadeAnew() {
    Region wanted = region(THERE.marked(41), 12, 0, LIBRARY);
    Region gone = region(HERE.marked(41), 12, 0, LIBRARY + " (deleted)");
    assertThat(plan(wanted, gone)).hasSize(1);
    assertThat(plan(region(THERE.marked(41), 12, 0, gone.name()), gone)).hasSize(1);
  }

  @Test
  void of_sharedMemoryWithTheSameNumbers_isMadeAnew() {
    int shared = Region.SHARED | Region.OBJECT;
    Region wanted = region(THERE.marked(1), 12, shared, "/memfd:a (deleted)");
    assertThat(plan(wanted, region(HERE.marked(1), 12, shared, "/memfd:a (deleted)"))).hasSize(1);
  }

  @Test
  void of_oneNameWithTwoFiles_isMadeAnew() {
    Region wanted = region(THERE.marked(41), 12, 0, LIBRARY);
    Region live = region(HERE.marked(52), 12, 0, LIBRARY);
    Region other = new Region(0x5000, 0x6000, 0, 13, HERE.marked(53), 1, LIBRARY, 0);
    assertThat(NamedRegions.of(List.of(wanted), List.of(live, other), HERE))
        .containsExactly(wanted);
  }

  @Test
  void of_sameContainer_isUntouched() {
    List<Region> wanted = List.of(region(HERE.marked(41), 12, 0, LIBRARY));
    Region live = region(HERE.marked(41), 13, 0, LIBRARY);
    assertThat(NamedRegions.of(wanted, List.of(live), HERE)).isSameAs(wanted);
  }
}
