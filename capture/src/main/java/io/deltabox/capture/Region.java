package io.deltabox.capture;

import io.deltabox.capture.descriptors.FileKey;

/**
 * One mapped region of an address space (a VMA), as {@code /proc/PID/maps} describes it. Addresses
 * in bytes, {@code [start, end)}.
 *
 * @param offset of the first byte in the file or object, bytes
 * @param inode zero for anonymous memory
 * @param device number with the mark of its container
 * @param flags {@link #READ} and so on
 * @param name path, {@code [heap]}-like mark, or empty
 * @param advice what {@link Advice} knows of it
 */
record Region(
    long start,
    long end,
    long offset,
    long inode,
    long device,
    int flags,
    String name,
    int advice) {
  static final int READ = 1;
  static final int WRITE = 2;
  static final int EXEC = 4;
  static final int SHARED = 8;
  static final int SPECIAL = 16;
  static final int OBJECT = 32;
  static final int HUGETLB = 64;

  private static final String DELETED = " (deleted)";

  Region withAdvice(int other) {
    return advice == other
        ? this
        : new Region(start, end, offset, inode, device, flags, name, other);
  }

  /** The same mapping of the file another region maps. */
  Region of(Region other) {
    return new Region(start, end, offset, other.inode, other.device, flags, name, advice);
  }

  boolean advised(int what) {
    return (advice & what) != 0;
  }

  /**
   * Same place, same rights, same thing behind it; advice aside, and that a process made again has
   * a scratch area of its own.
   */
  boolean samePlace(Region other) {
    return start == other.start
        && end == other.end
        && flags == other.flags
        && (is(SPECIAL) || (sameBacking(other, start) && name.equals(other.name)));
  }

  boolean is(int flag) {
    return (flags & flag) != 0;
  }

  /** PROT_READ, PROT_WRITE and PROT_EXEC as mmap(2) takes them. */
  int protection() {
    return flags & (READ | WRITE | EXEC);
  }

  boolean anonymous() {
    return inode == 0;
  }

  /** True if its file has no name any more. */
  boolean deleted() {
    return !is(OBJECT) && !is(SPECIAL) && !anonymous() && name.endsWith(DELETED);
  }

  /** Identity of its file; what fstat(2) tells of it only if its name is gone. */
  FileKey key() {
    return new FileKey(device, inode);
  }

  /** Whether it is writable or can be made so; of a shared mapping only. */
  boolean mayWrite() {
    return is(WRITE) || advised(Advice.MAY_WRITE);
  }

  boolean stack() {
    return name.equals("[stack]");
  }

  boolean heap() {
    return name.equals("[heap]");
  }

  /**
   * True if proc(5) shows both under the same name: a file with several names can be mapped under
   * any of them, also one that is gone.
   */
  boolean sameName(Region other) {
    boolean named = !is(OBJECT) && !anonymous() && !deleted();
    return deleted() == other.deleted() && (!named || name.equals(other.name));
  }

  /** True if the same bytes of the same thing lie under both at {@code address}. */
  boolean sameBacking(Region other, long address) {
    if (is(SHARED) != other.is(SHARED) || inode != other.inode || device != other.device) {
      return false;
    }
    return inode == 0 || offset + (address - start) == other.offset + (address - other.start);
  }
}
