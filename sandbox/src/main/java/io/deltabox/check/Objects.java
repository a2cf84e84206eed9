package io.deltabox.check;

import java.util.HashMap;
import java.util.Map;

/**
 * Numbers for kernel objects without a name, in the order they are first met in one image: pipes,
 * sockets, deleted files, memory shared by mappings and descriptors.
 *
 * <p>The kernel's own numbers change when an object is made again; which holders share one object
 * must not.
 */
final class Objects {
  private final Map<String, Integer> numbers = new HashMap<>();

  /** The object behind a descriptor, for example {@code pipe#3}; a link with a name is kept. */
  String ofDescriptor(String link, String mount, String inode) {
    if (link.startsWith("pipe:[") || link.startsWith("socket:[")) {
      return link.substring(0, link.indexOf(':')) + "#" + number(link);
    }
    if (ofMemory(link)) {
      return link + "#" + number("memory " + inode);
    }
    if (link.startsWith("/") && link.endsWith(" (deleted)")) {
      return "(deleted)#" + number("file " + mount + " " + inode);
    }
    return link;
  }

  /** The object behind a mapping; a name is kept, as is the label of the kernel for no object. */
  String ofMapping(String name, String device, String inode) {
    if (ofMemory(name)) {
      return "(memory)#" + number("memory " + inode);
    }
    if (name.startsWith("/") && name.endsWith(" (deleted)")) {
      return "(deleted)#" + number("mapped " + device + " " + inode);
    }
    return name;
  }

  /** Objects of the kernel's own mount for shared memory: one space of inode numbers. */
  private static boolean ofMemory(String name) {
    return name.startsWith("/memfd:")
        || name.startsWith("/SYSV")
        || name.equals("/dev/zero (deleted)");
  }

  private int number(String key) {
    return numbers.computeIfAbsent(key, k -> numbers.size());
  }
}
