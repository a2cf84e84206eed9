package io.deltabox.check;

import java.util.HashMap;
import java.util.Map;

/**
 * Labels for kernel objects without a name - pipes, sockets, deleted files, memory shared by
 * mappings and descriptors - after the first holder met in one image.
 *
 * <p>The kernel's own numbers change when an object is made again; which holders share one object
 * must not.
 */
final class Objects {
  private final Map<String, String> firstHolders = new HashMap<>();

  /**
   * The object behind a descriptor, for example {@code pipe of 2/5}; a link with a name is kept.
   */
  String ofDescriptor(String link, String identity, String holder) {
    if (link.startsWith("pipe:[") || link.startsWith("socket:[")) {
      return link.substring(0, link.indexOf(':')) + label(link, holder);
    }
    if (ofMemory(link)) {
      return link + label("memory " + number(identity), holder);
    }
    if (link.startsWith("/") && link.endsWith(" (deleted)")) {
      return "(deleted)" + label("file " + identity, holder);
    }
    return link;
  }

  /** A working directory; the path of one that was removed tells no more than that. */
  String ofPlace(String link, Map<String, Object> identity, String holder) {
    return link.endsWith(" (deleted)")
        ? "(deleted)" + label("place " + identity.get("dev") + " " + identity.get("ino"), holder)
        : link;
  }

  /** The object behind a mapping; a name is kept, as is the label of the kernel for no object. */
  String ofMapping(String name, String device, String inode, String holder) {
    if (ofMemory(name)) {
      return "(memory)" + label("memory " + inode, holder);
    }
    if (name.startsWith("/") && name.endsWith(" (deleted)")) {
      return "(deleted)" + label("mapped " + device + " " + inode, holder);
    }
    return name;
  }

  /** Objects of the kernel's own mount for shared memory: one space of inode numbers. */
  private static boolean ofMemory(String name) {
    return name.startsWith("/memfd:")
        || name.startsWith("/SYSV")
        || name.equals("/dev/zero (deleted)");
  }

  /** Mappings tell no more than the inode number, which is unique on that mount. */
  private static String number(String identity) {
    return identity.substring(identity.lastIndexOf(' ') + 1);
  }

  private String label(String key, String holder) {
    return " of " + firstHolders.computeIfAbsent(key, k -> holder);
  }
}
