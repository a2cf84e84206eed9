package io.deltabox.capture;

import io.deltabox.capture.descriptors.Devices;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Mappings of files that have a name, between containers: the numbers differ, but once the files
 * are back a name leads to the same file, and proc(5) marks a mapped name that leads there no more.
 */
final class NamedRegions {
  private NamedRegions() {}

  /**
   * Regions of a snapshot with the numbers of this container wherever a process maps the file of
   * that name; others keep numbers that equal none of it. What is there need not be mapped anew.
   *
   * @param live what the process maps, read since the files are back
   * @param devices of the container it runs in
   */
  static List<Region> of(List<Region> wanted, List<Region> live, Devices devices) {
    if (wanted.stream().allMatch(region -> region.anonymous() || devices.own(region.device()))) {
      return wanted;
    }
    Map<String, Region> byName = new HashMap<>();
    Set<String> unclear = new HashSet<>();
    for (Region region : live) {
      Region known = named(region) ? byName.putIfAbsent(region.name(), region) : null;
      if (known != null && (known.device() != region.device() || known.inode() != region.inode())) {
        unclear.add(region.name());
      }
    }
    byName.keySet().removeAll(unclear);
    List<Region> here = new ArrayList<>(wanted.size());
    for (Region region : wanted) {
      boolean foreign = named(region) && !devices.own(region.device());
      Region found = foreign ? byName.get(region.name()) : null;
      here.add(found == null ? region : region.of(found));
    }
    return here;
  }

  private static boolean named(Region region) {
    return !region.anonymous()
        && !region.is(Region.OBJECT)
        && !region.is(Region.SPECIAL)
        && !region.deleted()
        && region.name().startsWith("/");
  }
}
