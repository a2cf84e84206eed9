package io.deltabox.capture.files;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which identity each living inode of the private file system stands for. Not part of a snapshot: a
 * rollback that has to make a file again gives the new inode the old identity here.
 */
final class LiveFiles {
  /**
   * A living directory of the upper layer.
   *
   * @param merged whether the overlay really shows the base under it; false for a base directory
   *     that had to be made again
   */
  record Directory(FileId id, boolean merged) {}

  private record BaseInode(long device, long inode) {}

  private final Map<Long, Directory> directories = new HashMap<>();
  private final Map<FileId, Long> directoryInodes = new HashMap<>();
  private final Map<FileId, FileId> aliases = new HashMap<>();
  private final Map<Long, FileId> files = new HashMap<>();
  private final Map<BaseInode, FileId> baseFiles = new HashMap<>();
  private final Map<FileId, String> basePaths = new HashMap<>();

  LiveFiles() {}

  /** A copy that what is learnt later of one does not change in the other. */
  LiveFiles(LiveFiles other) {
    directories.putAll(other.directories);
    directoryInodes.putAll(other.directoryInodes);
    aliases.putAll(other.aliases);
    files.putAll(other.files);
    baseFiles.putAll(other.baseFiles);
    basePaths.putAll(other.basePaths);
  }

  @Nullable Directory directory(long inode) {
    return directories.get(inode);
  }

  /** Whether a directory shows the base under it, as far as it has been copied up at all. */
  boolean merged(FileId id) {
    Long inode = directoryInodes.get(id);
    Directory directory = inode == null ? null : directories.get(inode);
    return directory == null ? id.isBaseDirectory() : directory.merged;
  }

  @Nullable Long directoryInode(FileId id) {
    return directoryInodes.get(id);
  }

  Directory putDirectory(long inode, FileId id, boolean merged) {
    Directory directory = new Directory(id, merged);
    directories.put(inode, directory);
    directoryInodes.put(id, inode);
    return directory;
  }

  /** Forgets a directory that has been removed: its inode stands for nothing any more. */
  void dropDirectory(FileId id) {
    Long inode = directoryInodes.remove(id);
    if (inode != null) {
      directories.remove(inode);
    }
  }

  /** From now on {@code made} stands for {@code id}. */
  void alias(FileId made, FileId id) {
    if (!made.equals(id)) {
      aliases.put(made, id);
    }
  }

  FileId known(FileId id) {
    return aliases.getOrDefault(id, id);
  }

  void putFile(long upperInode, FileId id) {
    files.put(upperInode, id);
  }

  @Nullable FileId file(long upperInode) {
    return files.get(upperInode);
  }

  void putBase(FileId id, long device, long inode, @Nullable String path) {
    baseFiles.put(new BaseInode(device, inode), id);
    if (path != null) {
      basePaths.put(id, path);
    }
  }

  @Nullable FileId baseFile(long device, long inode) {
    return baseFiles.get(new BaseInode(device, inode));
  }

  /** Where the base has a file, if a name of it was ever touched. */
  @Nullable String basePath(FileId id) {
    return basePaths.get(id);
  }
}
