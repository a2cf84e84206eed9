package io.deltabox.capture.files;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Device numbers as the sandbox sees them: the overlay shows the inodes of each layer's file system
 * under a number of its own.
 */
final class DeviceMap {
  private final LiveFiles live;
  private final Map<Long, Long> shownToBase = new HashMap<>();
  private long upper = -1;
  private long shared = -1;

  DeviceMap(LiveFiles live) {
    this.live = live;
  }

  void upper(long device) {
    upper = device;
  }

  void shared(long device) {
    shared = device;
  }

  long upper() {
    return upper;
  }

  long shared() {
    return shared;
  }

  void learn(long shown, long base) {
    if (shown != upper) {
      shownToBase.put(shown, base);
    }
  }

  boolean knows(long base) {
    return shownToBase.containsValue(base);
  }

  /** True when an inode shown under this number belongs to the base. */
  boolean isBase(long shown) {
    return shown != upper && shown != shared && shownToBase.containsKey(shown);
  }

  @Nullable Long baseDevice(long shown) {
    return shownToBase.get(shown);
  }

  /** The file a holder sees under a device and inode number, if it was ever touched. */
  @Nullable FileId identify(long shown, long inode) {
    if (shown == upper || shown == shared) {
      return live.file(inode);
    }
    Long base = shownToBase.get(shown);
    FileId id = base == null ? null : live.baseFile(base, inode);
    return id == null ? null : live.known(id);
  }
}
