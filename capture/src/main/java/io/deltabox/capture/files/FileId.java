package io.deltabox.capture.files;

/**
 * The identity of a file or directory, the same for the whole life of a sandbox: it survives
 * renames, the copy-up of a base file, and being made again by a rollback.
 *
 * @param kind where the identity comes from
 * @param number inode number of an {@link Kind#UPPER} inode, else 0
 * @param birth birth time in nanoseconds of an {@link Kind#UPPER} inode (some file systems reuse
 *     numbers at once), else 0
 * @param key file handle of a base file, path in the base of a base directory, else empty
 */
record FileId(Kind kind, long number, long birth, String key) {
  enum Kind {
    /** Made inside the sandbox. */
    UPPER,
    /** A file of the base, also when it has been copied up. */
    BASE,
    /** A directory of the base: what is not overridden in it is as in the base. */
    DIRECTORY,
    /** The directory behind /dev/shm. */
    SHARED
  }

  static final FileId ROOT = new FileId(Kind.DIRECTORY, 0, 0, "");

  /** The covered directory rollbacks work in, which every sandbox has of its own. */
  static final FileId STAGING = new FileId(Kind.UPPER, 0, 0, "staging");

  static final FileId SHARED_ROOT = new FileId(Kind.SHARED, 0, 0, "");

  static FileId upper(long number, long birth) {
    return new FileId(Kind.UPPER, number, birth, "");
  }

  static FileId base(String handle) {
    return new FileId(Kind.BASE, 0, 0, handle);
  }

  static FileId directory(String path) {
    return new FileId(Kind.DIRECTORY, 0, 0, path);
  }

  boolean isRoot() {
    return equals(ROOT) || equals(SHARED_ROOT);
  }

  /** True for a directory whose names come from the base unless overridden. */
  boolean isBaseDirectory() {
    return kind == Kind.DIRECTORY;
  }
}
