package io.deltabox.capture;

/**
 * Which file of the base a snapshot's processes had mapped or open. The base is not part of a
 * snapshot: under another file of the same name, memory would be put over other code.
 *
 * @param path in the sandbox
 * @param bytes its size
 * @param modifiedNanos since the epoch, as {@code changedNanos}, which nobody can set
 */
record BaseFile(String path, long inode, long bytes, long modifiedNanos, long changedNanos) {
  /** The same, or what is known of the one that is in use and lies there no more. */
  BaseFile of(long used) {
    return used == inode ? this : new BaseFile(path, used, 0, 0, 0);
  }

  /**
   * What stays when its base is laid out again elsewhere: names, sizes and the times a file is
   * given, not those the file system gives.
   */
  BaseFile anywhere() {
    return new BaseFile(path, 0, bytes, modifiedNanos, 0);
  }

  /** As messages tell it. */
  String identity() {
    return inode == 0 && bytes == 0 && modifiedNanos == 0
        ? "none"
        : "inode:"
            + inode
            + ",bytes:"
            + bytes
            + ",mtime_ns:"
            + modifiedNanos
            + ",ctime_ns:"
            + changedNanos;
  }
}
