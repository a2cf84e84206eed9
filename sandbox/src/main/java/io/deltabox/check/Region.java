package io.deltabox.check;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * One region of memory as {@code smaps} shows it, with the hashes of its pages.
 *
 * @param offset in the file, 0 without one
 * @param name as the kernel shows it
 * @param object the name, or a number if it is not the name that tells what is mapped
 * @param flags the {@code VmFlags} that count, sorted
 * @param pages what the pages hold
 */
record Region(
    long from,
    long to,
    String rights,
    long offset,
    String name,
    String object,
    String flags,
    Pages pages) {
  /** How pages of the region are read; the numbers are those of {@code check.h}. */
  enum How {
    ANONYMOUS(0),
    ALL(1),
    IF_OWN(2),
    SHARED(3),
    NOT(-1);

    private final int number;

    How(int number) {
      this.number = number;
    }

    int number() {
      return number;
    }
  }

  private static final long SMALL = 4L << 20;

  /**
   * What a program cannot notice but in speed: soft-dirty, the tracker's registration, accounting;
   * advice on read-ahead, huge pages and core dumps.
   */
  private static final Set<String> IGNORED_FLAGS =
      Set.of("sd", "um", "uw", "ac", "nr", "sr", "rr", "hg", "nh", "dd");

  static String keptFlags(String line) {
    TreeSet<String> flags = new TreeSet<>();
    for (String flag : line.trim().split("\\s+")) {
      if (!flag.isEmpty() && !IGNORED_FLAGS.contains(flag)) {
        flags.add(flag);
      }
    }
    return String.join(" ", flags);
  }

  boolean shared() {
    return rights.charAt(3) == 's';
  }

  boolean ofFile() {
    return name.startsWith("/");
  }

  How how() {
    boolean readable = flags.contains("mr") || rights.charAt(0) == 'r';
    if (name.startsWith("[vvar") || name.equals("[vsyscall]") || !readable) {
      return How.NOT;
    }
    List<String> words = List.of(flags.split(" "));
    if (words.contains("dp") || words.contains("io") || words.contains("pf")) {
      return How.NOT; // dropped by the kernel at will, or memory of a device
    }
    if (shared()) {
      boolean nameless =
          name.endsWith(" (deleted)") || name.startsWith("/memfd:") || name.startsWith("/SYSV");
      return nameless ? How.SHARED : How.NOT; // files with a name are compared as files
    }
    if (!ofFile()) {
      return How.ANONYMOUS;
    }
    boolean small = to - from <= SMALL || name.endsWith(" (deleted)");
    return small || rights.charAt(1) == 'w' ? How.ALL : How.IF_OWN;
  }

  Region with(Pages read) {
    return new Region(from, to, rights, offset, name, object, flags, read);
  }

  /** Whether {@code next} continues this region, so that a program cannot tell the border. */
  boolean continues(Region next) {
    boolean place = to == next.from && (!ofFile() || offset + (to - from) == next.offset);
    return place
        && rights.equals(next.rights)
        && flags.equals(next.flags)
        && object.equals(next.object)
        && pages.untouched() == next.pages.untouched();
  }

  Region join(Region next) {
    long shift = (to - from) / Pages.PAGE;
    return new Region(
        from, next.to, rights, offset, name, object, flags, pages.join(next.pages, shift));
  }

  /** What is compared apart from the pages. */
  String description() {
    return rights
        + " offset=0x"
        + Long.toHexString(ofFile() ? offset : 0)
        + " flags="
        + flags
        + " name="
        + object
        + (pages.untouched() ? " untouched" : "");
  }
}
