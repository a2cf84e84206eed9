package io.deltabox.capture.files;

import io.deltabox.capture.CaptureException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The read-only files under a sandbox, looked at name by name and never walked: they may be a whole
 * machine.
 *
 * <p>They do not change while the sandbox lives, so what was seen once is remembered, within a
 * bound. Not thread-safe.
 */
final class BaseTree implements AutoCloseable {
  private static final int REMEMBERED = 4096;

  /**
   * A file of the base.
   *
   * @param id its identity; by handle where the file system has handles, else by path
   */
  record Found(FileId id, FileStatus status) {
    FileEntry entry() {
      return new FileEntry(id, status.meta().type());
    }
  }

  private final FileOps ops;

  /** A view of all layers together, which says what there is. */
  private final int root;

  /** The layers themselves: only they know handles. */
  private final List<Integer> layers;

  private final Map<String, Object> seen =
      new LinkedHashMap<>(256, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Object> eldest) {
          return size() > REMEMBERED;
        }
      };

  private static final Object NOTHING = new Object();

  /**
   * Opens the layers of a base.
   *
   * @param lowers lower directories of the overlay, topmost first; borrowed for this call
   */
  BaseTree(FileOps ops, List<Integer> lowers) throws CaptureException {
    this.ops = ops;
    List<Integer> own = new ArrayList<>();
    for (int lower : lowers) {
      own.add(ops.open(lower, ".", FileOps.O_PATH | FileOps.O_DIRECTORY));
    }
    layers = List.copyOf(own);
    root = layers.size() == 1 ? layers.get(0) : ops.overlay(layers, -1, -1);
  }

  @Override
  public void close() {
    if (layers.size() > 1) {
      ops.close(root);
    }
    layers.forEach(ops::close);
  }

  static String join(String directory, String name) {
    return directory.isEmpty() ? name : directory + "/" + name;
  }

  static String parent(String path) {
    int slash = path.lastIndexOf('/');
    return slash < 0 ? "" : path.substring(0, slash);
  }

  static String baseName(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  /** What the base has at a path, or null. */
  @Nullable Found find(String path) {
    Object known = seen.get(path);
    if (known == null) {
      known = look(path);
      seen.put(path, known);
    }
    return known instanceof Found found ? found : null;
  }

  private Object look(String path) {
    FileStatus status = ops.tryStat(root, path);
    if (status == null || isWhiteout(status.meta())) {
      return NOTHING;
    }
    if (status.meta().isDirectory()) {
      return new Found(FileId.directory(path), status);
    }
    String handle = handle(path, status);
    return new Found(FileId.base(handle == null ? "/" + path : handle), status);
  }

  /** The handle in the layer the file comes from: the topmost that has an inode of this number. */
  private @Nullable String handle(String path, FileStatus status) {
    for (int layer : layers) {
      FileStatus found = ops.tryStat(layer, path);
      if (found != null
          && found.inode() == status.inode()
          && found.birth() == status.birth()
          && found.meta().type() == status.meta().type()) {
        return ops.tryHandle(layer, path);
      }
    }
    return null;
  }

  private static boolean isWhiteout(FileMeta meta) {
    return meta.type() == FileMeta.TYPE_CHARACTER
        && meta.deviceMajor() == 0
        && meta.deviceMinor() == 0;
  }

  boolean isDirectory(String path) {
    Found found = find(path);
    return found != null && found.status.meta().isDirectory();
  }

  /** Attributes of a file of the base, with its extended attributes. */
  FileMeta meta(String path) throws CaptureException {
    String at = path.isEmpty() ? "." : path;
    FileMeta meta = ops.stat(root, at).meta();
    return withXattrs(meta, ops.xattrs(root, at));
  }

  static FileMeta withXattrs(FileMeta meta, List<FileMeta.Xattr> xattrs) {
    return new FileMeta(
        meta.mode(),
        meta.uid(),
        meta.gid(),
        meta.mtimeSeconds(),
        meta.mtimeNanos(),
        meta.attributes(),
        meta.deviceMajor(),
        meta.deviceMinor(),
        xattrs);
  }

  String linkTarget(String path) throws CaptureException {
    return ops.linkTarget(root, path);
  }

  /** Opens a regular file for reading; the caller closes it. */
  int open(String path) throws CaptureException {
    return ops.open(root, path, FileOps.O_RDONLY | FileOps.O_NOFOLLOW | FileOps.O_NONBLOCK);
  }

  /** The names of one directory. */
  List<FileOps.Listed> names(String path) throws CaptureException {
    int fd = ops.open(root, path.isEmpty() ? "." : path, FileOps.O_RDONLY | FileOps.O_DIRECTORY);
    try {
      return ops.names(fd);
    } finally {
      ops.close(fd);
    }
  }
}
