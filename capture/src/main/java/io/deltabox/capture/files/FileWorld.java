package io.deltabox.capture.files;

import io.deltabox.capture.CaptureException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The tree while a rollback edits it: what each name stands for now, where each directory is now,
 * and a descriptor for each directory, which stays right wherever the directory moves. Not
 * thread-safe; single use.
 */
final class FileWorld implements AutoCloseable {
  /** Stands for the hidden directory things are put away in, of the overlay and of /dev/shm. */
  static final FileId STAGE = new FileId(FileId.Kind.UPPER, -1, 0, "");

  static final FileId SHARED_STAGE = new FileId(FileId.Kind.UPPER, -2, 0, "");

  /** Open descriptors at most; beyond it all are closed and opened again when needed. */
  private static final int OPEN_MAX = 256;

  private final FileOps ops;
  private final FileState live;
  private final FilePlaces places;
  private final Map<FileId, Integer> open = new HashMap<>();
  private final Map<FileId, Integer> openUpper = new HashMap<>();
  private final Map<FileId, FileNode.Link> moved = new HashMap<>();
  private final Map<FileNode.Link, FileEntry> edits = new HashMap<>();
  private final Set<FileId> bare = new HashSet<>();
  private final Set<FileId> visited = new HashSet<>();

  FileWorld(FileOps ops, FileState live, FilePlaces places) {
    this.ops = ops;
    this.live = live;
    this.places = places;
  }

  /** What a name stands for at this point of the work. */
  FileEntry now(FileId directory, String name) {
    FileEntry edit = edits.get(new FileNode.Link(directory, name));
    if (edit != null) {
      return edit;
    }
    return bare.contains(directory) ? FileEntry.ABSENT : live.resolve(directory, name);
  }

  void set(FileId directory, String name, FileEntry entry) {
    edits.put(new FileNode.Link(directory, name), entry);
  }

  /** A directory was made empty: the base does not show through it. */
  void madeBare(FileId directory) {
    bare.add(directory);
  }

  void moved(FileId directory, FileId into, String name) {
    moved.put(directory, new FileNode.Link(into, name));
  }

  /** Where a directory is now. */
  FileNode.@Nullable Link place(FileId directory) {
    FileNode.Link place = moved.get(directory);
    if (place != null) {
      return place;
    }
    FileNode node = live.node(directory);
    if (node != null) {
      return node.links().isEmpty() ? null : node.links().get(0);
    }
    return directory.isBaseDirectory() && !directory.isRoot()
        ? new FileNode.Link(
            FileId.directory(BaseTree.parent(directory.key())), BaseTree.baseName(directory.key()))
        : null;
  }

  /** The staging directory on the same mount as a directory. */
  FileId stageOf(FileId directory) {
    return inShared(directory) ? SHARED_STAGE : STAGE;
  }

  boolean inShared(FileId directory) {
    FileId at = directory;
    for (FileNode.Link place = place(at); place != null; place = place(at)) {
      at = place.directory();
    }
    return at.equals(FileId.SHARED_ROOT) || at.equals(SHARED_STAGE);
  }

  /** All directories that were worked in. */
  Set<FileId> visited() {
    return visited;
  }

  /** The inode of a directory in the upper layer, or null if it has not been copied up. */
  @Nullable Long upperInode(FileId id) {
    int fd = tryUpper(id);
    FileStatus status = fd < 0 ? null : ops.tryStat(fd, "");
    return status == null ? null : status.inode();
  }

  private int tryUpper(FileId id) {
    if (id.equals(FileId.ROOT)) {
      return places.upper();
    }
    Integer known = openUpper.get(id);
    if (known != null) {
      return known;
    }
    FileNode.Link place = place(id);
    int parent = place == null ? -1 : tryUpper(place.directory());
    if (place == null || parent < 0) {
      return -1;
    }
    int fd =
        ops.tryOpen(
            parent, place.name(), FileOps.O_PATH | FileOps.O_DIRECTORY | FileOps.O_NOFOLLOW);
    if (fd >= 0) {
      openUpper.put(id, fd);
    }
    return fd;
  }

  /** A descriptor of a directory in the mount the edits go through; borrowed. */
  int directory(FileId id) throws CaptureException {
    return descriptor(id, open, places.tree(), places.stage());
  }

  /** A descriptor of a directory in the upper layer itself; borrowed. */
  int upperDirectory(FileId id) throws CaptureException {
    return descriptor(id, openUpper, places.upper(), places.upperStage());
  }

  private int descriptor(FileId id, Map<FileId, Integer> cache, int root, int stage)
      throws CaptureException {
    if (id.equals(FileId.ROOT)) {
      return root;
    }
    if (id.equals(FileId.SHARED_ROOT)) {
      return places.shared();
    }
    if (id.equals(STAGE)) {
      return stage;
    }
    if (id.equals(SHARED_STAGE)) {
      return places.sharedStage();
    }
    Integer known = cache.get(id);
    if (known != null) {
      return known;
    }
    FileNode.Link place = place(id);
    if (place == null) {
      throw new CaptureException("directory is in no place: id=" + id);
    }
    int parent = descriptor(place.directory(), cache, root, stage);
    int fd =
        ops.open(parent, place.name(), FileOps.O_PATH | FileOps.O_DIRECTORY | FileOps.O_NOFOLLOW);
    visited.add(id);
    if (cache.size() >= OPEN_MAX) {
      closeAll(cache);
    }
    cache.put(id, fd);
    return fd;
  }

  private void closeAll(Map<FileId, Integer> cache) {
    cache.values().forEach(ops::close);
    cache.clear();
  }

  /** A path for messages. */
  String path(FileId directory, String name) {
    StringBuilder path = new StringBuilder(name);
    for (FileNode.Link at = place(directory); at != null; at = place(at.directory())) {
      path.insert(0, at.name() + "/");
    }
    return path.toString();
  }

  @Override
  public void close() {
    closeAll(open);
    closeAll(openUpper);
  }
}
