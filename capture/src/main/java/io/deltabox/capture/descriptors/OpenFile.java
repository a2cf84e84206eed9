package io.deltabox.capture.descriptors;

import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * An open file description: what one or more descriptors of one or more processes lead to. Compared
 * by identity; unchanging once its table is built.
 */
public final class OpenFile {
  private static final String DELETED = " (deleted)";
  private static final int TYPE = 0170000;
  private static final int DIRECTORY = 0040000;
  private static final int REGULAR = 0100000;

  private final FileKind kind;
  private final Status status;
  private final String link;
  private final String info;
  private final SortedSet<Slot> slots = new TreeSet<>();

  /** What chmod(2), chown(2) and utimensat(2) set. */
  record Attributes(int mode, int uid, int gid, long writtenSeconds, long writtenNanos) {}

  /**
   * What fstat(2) and fdinfo say.
   *
   * @param flags of open(2), without the one that belongs to the descriptor
   * @param seals of a memfd
   * @param readNanos monotonic clock when it was read
   */
  record Status(
      long dev,
      long ino,
      long rdev,
      long size,
      long position,
      Attributes attributes,
      int nlink,
      int flags,
      int seals,
      long readNanos) {
    int mode() {
      return attributes.mode();
    }

    Status withoutCloseOnExec() {
      int shared = flags & ~Flags.O_CLOEXEC;
      return new Status(
          dev, ino, rdev, size, position, attributes, nlink, shared, seals, readNanos);
    }
  }

  OpenFile(FileKind kind, Status status, String link, String info) {
    this.kind = kind;
    this.status = status;
    this.link = link;
    this.info = info;
  }

  void add(Slot slot) {
    slots.add(slot);
  }

  public FileKind kind() {
    return kind;
  }

  /** Where /proc says it leads: a path of the sandbox or a name such as {@code pipe:[42]}. */
  public String link() {
    return link;
  }

  /** The descriptors that lead here, in order; never empty. */
  public SortedSet<Slot> slots() {
    return Collections.unmodifiableSortedSet(slots);
  }

  /** True if the name it was opened by has been removed since. */
  boolean isNameGone() {
    return link.startsWith("/") && link.endsWith(DELETED);
  }

  /** True for a regular file that is open for its content, whether it has a name or not. */
  public boolean isRegularFile() {
    return kind == FileKind.REGULAR || kind == FileKind.ORPHAN || kind == FileKind.MEMFD;
  }

  /** True for a regular file, also one opened as a place only. */
  boolean leadsToRegularFile() {
    return isRegularFile() || (kind == FileKind.PATH && (status.mode() & TYPE) == REGULAR);
  }

  boolean isDirectory() {
    return (status.mode() & TYPE) == DIRECTORY;
  }

  /** Its identity among files. */
  public FileKey key() {
    return new FileKey(status.dev(), status.ino());
  }

  Status status() {
    return status;
  }

  /** The text of fdinfo. */
  String info() {
    return info;
  }

  int accessMode() {
    return status.flags() & Flags.O_ACCMODE;
  }

  boolean canRead() {
    return accessMode() != Flags.O_WRONLY;
  }

  boolean canWrite() {
    return accessMode() != 0;
  }

  @Override
  public String toString() {
    return kind + " " + link + " " + slots;
  }
}
