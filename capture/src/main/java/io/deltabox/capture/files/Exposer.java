package io.deltabox.capture.files;

import io.deltabox.capture.CaptureException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/**
 * Gives a removed base file or tree back without copying it: the whiteout that hides it is removed
 * from the upper layer.
 *
 * <p>That is the one edit behind the mount. It is safe because the overlay forgets the name when a
 * file made there is removed again, and notes the change of the directory, before the whiteout
 * goes; the next look-up is a fresh one. It is allowed only when no inode of what comes back is in
 * memory still - held by a process, or living under another name: the overlay finds inodes by the
 * base's and would answer ESTALE, or show the old inode's contents.
 */
final class Exposer {
  /** Names looked at, to see whether a held inode lies in a tree; beyond it the answer is no. */
  private static final int LOOKED_AT_MAX = 50_000;

  private final FileOps ops;
  private final BaseTree base;
  private final LiveFiles files;
  private final Staging staging;
  private final DeviceMap devices;
  private final LiveHolders.Source holders;
  private final Set<Long> heldFiles = new HashSet<>();
  private boolean heldDirectory;
  private boolean looked;

  Exposer(
      FileOps ops,
      BaseTree base,
      LiveFiles files,
      DeviceMap devices,
      Staging staging,
      LiveHolders.Source holders) {
    this.ops = ops;
    this.base = base;
    this.files = files;
    this.staging = staging;
    this.devices = devices;
    this.holders = holders;
  }

  private void look() throws CaptureException {
    if (looked) {
      return;
    }
    looked = true;
    for (LiveHolders.Holder holder : read().files()) {
      if (holder.deleted() && holder.directory()) {
        heldDirectory = true;
      } else if (holder.deleted()
          && holder.device() != devices.upper()
          && holder.device() != devices.shared()) {
        heldFiles.add(holder.inode());
      }
    }
  }

  private LiveHolders read() throws CaptureException {
    try {
      return holders.read();
    } catch (IOException e) {
      throw new CaptureException("read what processes hold of files failed: " + e.getMessage(), e);
    }
  }

  /** Whether nothing of a removed base file or tree is in memory. */
  boolean allowed(FileState live, BaseTree.Found found, String path, FileId id)
      throws CaptureException {
    look();
    if (!found.status().meta().isDirectory()) {
      return live.node(id) == null && !heldFiles.contains(found.status().inode());
    }
    return !heldDirectory && !livesElsewhere(live, path) && !holds(path);
  }

  /** Whether something from below a base path lives on under another name. */
  private boolean livesElsewhere(FileState live, String path) {
    String prefix = path + "/";
    boolean[] found = {false};
    live.nodes()
        .forEach(
            (id, node) -> {
              String own = id.isBaseDirectory() ? id.key() : files.basePath(id);
              if (id.isBaseDirectory() && own != null && own.equals(path)) {
                found[0] = true;
              } else if (own != null && own.startsWith(prefix)) {
                found[0] = true;
              } else if (own == null && id.kind() == FileId.Kind.BASE) {
                found[0] = true;
              }
            });
    return found[0];
  }

  private boolean holds(String path) throws CaptureException {
    if (heldFiles.isEmpty()) {
      return false;
    }
    Deque<String> queue = new ArrayDeque<>();
    queue.add(path);
    int looked = 0;
    while (!queue.isEmpty()) {
      String directory = queue.remove();
      for (FileOps.Listed listed : base.names(directory)) {
        if (heldFiles.contains(listed.inode()) || ++looked > LOOKED_AT_MAX) {
          return true;
        }
        if (listed.type() == FileOps.DT_DIR) {
          queue.add(BaseTree.join(directory, listed.name()));
        }
      }
    }
    return false;
  }

  /**
   * Removes the whiteout at a name nothing lives at.
   *
   * @return false when there is none, or the overlay remembers the old inode after all; the
   *     whiteout is back then
   */
  boolean show(FileWorld world, FileId directory, String name) throws CaptureException {
    int upper = world.upperDirectory(directory);
    FileStatus whiteout = ops.tryStat(upper, name);
    if (whiteout == null || !isWhiteout(whiteout.meta())) {
      return false;
    }
    staging.deleteEarlier();
    int dir = world.directory(directory);
    ops.make(dir, name, FileMeta.TYPE_REGULAR | 0600, 0, 0);
    ops.unlink(dir, name);
    ops.unlink(upper, name);
    if (ops.tryStat(dir, name) != null) {
      return true;
    }
    FileOps.check(ops.tryMake(upper, name, FileMeta.TYPE_CHARACTER), "hide again", name);
    return false;
  }

  private static boolean isWhiteout(FileMeta meta) {
    return meta.type() == FileMeta.TYPE_CHARACTER
        && meta.deviceMajor() == 0
        && meta.deviceMinor() == 0;
  }
}
