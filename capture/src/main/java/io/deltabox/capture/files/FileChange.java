package io.deltabox.capture.files;

/**
 * One difference between two states.
 *
 * @param kind what happened
 * @param path where, without a leading slash; bytes in ISO 8859-1
 * @param from the former path of a {@link Kind#MOVED} file, else empty
 * @param directory whether it is a directory, with everything below it
 */
public record FileChange(Kind kind, String path, String from, boolean directory) {
  /** Kinds of change. */
  public enum Kind {
    ADDED,
    REMOVED,
    /** Other contents, or another kind of file. */
    MODIFIED,
    /** Only mode, owner, times or extended attributes. */
    ATTRIBUTES,
    MOVED
  }

  /** The path as people read it. */
  public String readablePath() {
    return FileOps.readable(path);
  }
}
