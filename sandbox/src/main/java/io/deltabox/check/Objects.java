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
  String ofDescriptor(String link, String mount, String inode, String holder) {
    if (link.startsWith("pipe:[") || link.startsWith("socket:[")) {
      return link.substring(0, link.indexOf(':')) + label(link, holder);
    }
    if (ofMemory(link)) {
      return link + label("memory " + inode, holder);
    }
    if (link.startsWith("/") && link.endsWith(" (deleted)")) {
      return "(deleted)" + label("file " + mount + " " + inode, holder);
    }
    return link;
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

  private String label(String key, String holder) {
    return " of " + firstHolders.computeIfAbsent(key, k -> holder);
  }
}
