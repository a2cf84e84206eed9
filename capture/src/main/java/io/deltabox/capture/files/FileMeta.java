package io.deltabox.capture.files;

import java.util.List;

/**
 * The attributes of a file that a snapshot keeps.
 *
 * @param mode type and permission bits
 * @param attributes {@code FS_IMMUTABLE_FL} and {@code FS_APPEND_FL}
 * @param xattrs extended attributes in order of their names, without those of the overlay itself
 */
record FileMeta(
    int mode,
    int uid,
    int gid,
    long mtimeSeconds,
    int mtimeNanos,
    int attributes,
    int deviceMajor,
    int deviceMinor,
    List<Xattr> xattrs) {
  static final int TYPE_MASK = 0170000;
  static final int TYPE_DIRECTORY = 0040000;
  static final int TYPE_REGULAR = 0100000;
  static final int TYPE_SYMLINK = 0120000;
  static final int TYPE_CHARACTER = 0020000;

  static final int FLAG_IMMUTABLE = 0x10;
  static final int FLAG_APPEND = 0x20;

  /** An extended attribute; both parts are bytes in ISO 8859-1. */
  record Xattr(String name, String value) {}

  FileMeta {
    xattrs = List.copyOf(xattrs);
  }

  int type() {
    return mode & TYPE_MASK;
  }

  boolean isDirectory() {
    return type() == TYPE_DIRECTORY;
  }

  boolean isRegular() {
    return type() == TYPE_REGULAR;
  }

  boolean isSymlink() {
    return type() == TYPE_SYMLINK;
  }

  /** A copy with the times and sizes of a newer look that did not read the extended attributes. */
  FileMeta withStatus(FileMeta newer) {
    return new FileMeta(
        newer.mode,
        newer.uid,
        newer.gid,
        newer.mtimeSeconds,
        newer.mtimeNanos,
        attributes,
        newer.deviceMajor,
        newer.deviceMinor,
        xattrs);
  }

  boolean sameModificationTime(FileMeta other) {
    return mtimeSeconds == other.mtimeSeconds && mtimeNanos == other.mtimeNanos;
  }
}
