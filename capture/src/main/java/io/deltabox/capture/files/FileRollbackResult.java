package io.deltabox.capture.files;

import java.util.List;

/**
 * What a rollback of the files did.
 *
 * @param removed names taken away
 * @param created files made again: their inode is a new one, and descriptors of the old one must be
 *     opened again
 * @param moved names moved, directories with all that is below counted once
 * @param exposed base files or trees given back without copying
 * @param written files whose contents were edited
 * @param bytesWritten bytes of contents written
 * @param replaced paths of files whose inode had to be replaced, being executed or under a lease
 * @param approximate paths whose sharing of one inode with other names of the base is not restored
 */
public record FileRollbackResult(
    int removed,
    int created,
    int moved,
    int exposed,
    int written,
    long bytesWritten,
    List<String> replaced,
    List<String> approximate) {
  public FileRollbackResult {
    replaced = List.copyOf(replaced);
    approximate = List.copyOf(approximate);
  }
}
