package io.deltabox.capture.files;

import io.deltabox.capture.CaptureException;
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
final class BaseTree {
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
  private final int root;
  private final Map<String, Object> seen =
      new LinkedHashMap<>(256, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Object> eldest) {
          return size() > REMEMBERED;
        }
      };

  private static final Object NOTHING = new Object();

  /** Borrows the root descriptor. */
  BaseTree(FileOps ops, int root) {
    this.ops = ops;
    this.root = root;
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
    String handle = ops.tryHandle(root, path);
    return new Found(FileId.base(handle == null ? "/" + path : handle), status);
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
