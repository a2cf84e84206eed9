package io.deltabox.capture.descriptors;

import java.io.IOException;
import java.util.List;
import java.util.OptionalInt;

/**
 * Opens files as the sandbox sees them. Names inside a sandbox are hostile: an implementation must
 * not leave the sandbox's root, not follow magic links of /proc, and not block.
 */
public interface FileOpener {
  /**
   * Opens the place a path leads to without opening its content ({@code O_PATH}).
   *
   * @param path absolute, in the sandbox; bytes as ISO 8859-1 characters
   * @return a descriptor of the daemon, closed by the caller
   */
  int openPlace(String path) throws IOException;

  /**
   * The memory object that stands for the one a snapshot knows under this identity, when something
   * else than descriptors has put it back already.
   *
   * @return a descriptor borrowed from the implementation, or -1
   */
  default int object(FileKey key) {
    return -1;
  }

  /** The numbers under which its files are known. */
  default Devices devices() {
    return Devices.PLAIN;
  }

  /** The identity a snapshot knows a memory object under that a rollback has made again. */
  default FileKey original(FileKey key) {
    return key;
  }

  /**
   * Opens a living file under a name that is gone at once, as one is known to its holders that was
   * opened under a name removed since.
   *
   * @param path of the file
   * @param flags of open(2)
   * @return a descriptor closed by the caller
   */
  int openGone(String path, int flags) throws IOException;

  /** Whether files have moved since the present table was read, so that its paths may be old. */
  default boolean namesMoved() {
    return true;
  }

  /**
   * Makes an empty file without a name and without rights, on the file system it was on and as near
   * to its old place as there is a directory.
   *
   * @param gone what /proc tells of it: the path it had and the mark of a removed file
   * @return a descriptor to read and write, opened with O_TMPFILE and closed by the caller
   */
  int makeNameless(String gone) throws IOException;

  /** The path of a removed file as /proc tells it, without its mark. */
  static String withoutMark(String link) {
    String mark = " (deleted)";
    return link.endsWith(mark) ? link.substring(0, link.length() - mark.length()) : link;
  }

  /**
   * Looks for a file by its identity, which takes long: every directory may be read.
   *
   * @param near directories of the sandbox to look below first
   * @return a descriptor as {@link #openPlace} gives it; empty if there is no such file, or the
   *     search came to its bound
   */
  OptionalInt find(FileKey key, List<String> near) throws IOException;
}
