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

  /** The identity a snapshot knows a memory object under that a rollback has made again. */
  default FileKey original(FileKey key) {
    return key;
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
