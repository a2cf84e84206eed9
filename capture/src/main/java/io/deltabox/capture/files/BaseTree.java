package io.deltabox.capture.files;

import io.deltabox.capture.CaptureException;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
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

  /** Device numbers under which {@link #root} shows the layers, as far as they are known. */
  private final Map<Integer, Long> shownDevices = new HashMap<>();

  private final Map<String, Object> seen = remembering();
  private final Map<String, Object> metas = remembering();

  private static Map<String, Object> remembering() {
    return new LinkedHashMap<>(256, 0.75f, true) {
      private static final long serialVersionUID = 1L;

      @Override
      protected boolean removeEldestEntry(Map.Entry<String, Object> eldest) {
        return size() > REMEMBERED;
      }
    };
  }

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
      own.add(ops.open(lower, ".", FileOps.O_RDONLY | FileOps.O_DIRECTORY));
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
        shownDevices.put(layer, status.device());
        return ops.tryHandle(layer, path);
      }
    }
    return null;
  }

  /**
   * Where an inode of the base is.
   *
   * @param path one path it has, or null
   */
  record Place(long device, long inode, @Nullable String path) {}

  /** Finds an inode of the base by its handle alone. */
  @Nullable Place place(FileId id) {
    for (int layer : layers) {
      Long device = shownDevices.get(layer);
      int fd = device == null ? -1 : ops.tryOpenHandle(layer, id.key());
      if (fd < 0 || device == null) {
        continue;
      }
      try {
        FileStatus status = ops.stat(fd, "");
        String path = pathOf(layer, fd);
        Found found = path == null ? null : find(path);
        boolean right = found != null && found.id().equals(id);
        return new Place(device, status.inode(), right ? path : null);
      } catch (IOException e) {
        return null;
      } finally {
        ops.close(fd);
      }
    }
    return null;
  }

  /** The path the kernel remembers for a descriptor, if it is below the layer's root. */
  private @Nullable String pathOf(int layer, int fd) throws IOException {
    String top = ops.linkTarget(layer, "/proc/self/fd/" + layer);
    String path = ops.linkTarget(layer, "/proc/self/fd/" + fd);
    String prefix = top.equals("/") ? "/" : top + "/";
    return path.startsWith(prefix) ? path.substring(prefix.length()) : null;
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

  /** Size of a file of the base. */
  long size(String path) throws CaptureException {
    Found found = find(path);
    return found != null ? found.status.size() : ops.stat(root, path).size();
  }

  /** Attributes of a file of the base, with its extended attributes. */
  FileMeta meta(String path) throws CaptureException {
    Object known = metas.get(path);
    if (known instanceof FileMeta meta) {
      return meta;
    }
    FileMeta meta = readMeta(path);
    metas.put(path, meta);
    return meta;
  }

  private FileMeta readMeta(String path) throws CaptureException {
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

  /** A copy of the contents of a regular file. */
  FileContent content(String path, ContentStore store) throws IOException {
    int fd = open(path);
    try {
      byte[] bytes = Files.readAllBytes(Path.of("/proc/self/fd/" + fd));
      if (bytes.length == 0) {
        return new FileContent(0, List.of());
      }
      try (Memory memory = Memory.allocate(bytes.length, Memory.Touch.LATER)) {
        memory.slice(0, bytes.length).put(bytes);
        ContentStore.Block block = store.store(memory.address(), bytes.length);
        List<FileContent.Piece> pieces = new ArrayList<>();
        long[] extents = ops.extents(fd, bytes.length);
        for (int i = 0; i < extents.length; i += 2) {
          pieces.add(new FileContent.Piece(extents[i], extents[i + 1], block, extents[i]));
        }
        return new FileContent(bytes.length, pieces);
      }
    } finally {
      ops.close(fd);
    }
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
