package io.deltabox.capture.files;

import io.deltabox.capture.CaptureException;
import io.deltabox.linux.Errno;
import io.deltabox.linux.ErrnoException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * The hidden directories removed trees are moved to, and their deletion afterwards. Not
 * thread-safe.
 */
final class Staging {
  private record Discarded(boolean shared, String name) {}

  private final FileOps ops;
  private final FilePlaces places;
  private final List<String> mounts;
  private final Deque<Discarded> discarded = new ArrayDeque<>();
  private final Deque<Discarded> earlier = new ArrayDeque<>();
  private long counter;

  Staging(FileOps ops, FilePlaces places, List<String> mounts) {
    this.ops = ops;
    this.places = places;
    this.mounts = List.copyOf(mounts);
  }

  String nextName() {
    return "r" + ++counter;
  }

  /** A directory of a stage will be deleted later. */
  void discard(boolean shared, String name) {
    discarded.add(new Discarded(shared, name));
  }

  /** What is discarded from now on may still hold files that are wanted, until the end. */
  void begin() {
    earlier.addAll(discarded);
    discarded.clear();
  }

  /** Removing a directory from outside silently takes away what the sandbox has mounted on it. */
  void requireNoMountBelow(String path) throws CaptureException {
    for (String mount : mounts) {
      if (mount.equals(path) || mount.startsWith(path + "/")) {
        throw new CaptureException(
            "directory to remove holds a mount point: path="
                + FileOps.readable(path)
                + " mount="
                + FileOps.readable(mount));
      }
    }
  }

  /** Empties both stages of what earlier rollbacks, also crashed ones, have left. */
  void clear() throws CaptureException {
    clear(places.stage());
    if (places.sharedStage() >= 0) {
      clear(places.sharedStage());
    }
    discarded.clear();
    earlier.clear();
  }

  private void clear(int stage) throws CaptureException {
    int fd = ops.open(stage, ".", FileOps.O_RDONLY | FileOps.O_DIRECTORY);
    try {
      for (FileOps.Listed listed : ops.names(fd)) {
        delete(stage, listed.name());
      }
    } finally {
      ops.close(fd);
    }
  }

  /** Deletes what was discarded. */
  void deleteDiscarded() throws CaptureException {
    deleteEarlier();
    deleteAll(discarded);
  }

  /** Deletes what was discarded before {@link #begin}. */
  void deleteEarlier() throws CaptureException {
    deleteAll(earlier);
  }

  private void deleteAll(Deque<Discarded> all) throws CaptureException {
    for (int left = all.size(); left > 0; left--) {
      Discarded next = all.element();
      boolean gone = delete(next.shared ? places.sharedStage() : places.stage(), next.name);
      all.remove();
      if (!gone) {
        all.add(next);
      }
    }
  }

  /** A process that still has such a directory open may put new files there meanwhile. */
  private static int tolerateFilled(int result) {
    return result == -Errno.ENOTEMPTY ? 1 : result;
  }

  /** Returns false when a directory has been filled again meanwhile. */
  private boolean delete(int dir, String name) throws CaptureException {
    int result = ops.tryUnlink(dir, name, 0);
    if (result == -Errno.ENOENT) {
      return true;
    }
    if (result == -Errno.EPERM) {
      ops.flags(dir, name, 0);
      result = ops.tryUnlink(dir, name, 0);
    }
    if (result != -Errno.EISDIR) {
      FileOps.check(result, "remove staged file", name);
      return true;
    }
    result = ops.tryOpen(dir, name, FileOps.O_RDONLY | FileOps.O_DIRECTORY | FileOps.O_NOFOLLOW);
    if (result == -Errno.ENOENT) {
      return true;
    }
    empty((int) FileOps.check(result, "open staged directory", name));
    result = ops.tryUnlink(dir, name, FileOps.AT_REMOVEDIR);
    return result == -Errno.ENOENT
        || FileOps.check(tolerateFilled(result), "remove staged directory", name) == 0;
  }

  /** Closes the directory. Whoever has it as its working directory may remove it meanwhile. */
  private void empty(int fd) throws CaptureException {
    try {
      if (ops.stat(fd, "").meta().attributes() != 0) {
        ops.flags(fd, ".", 0);
      }
      for (FileOps.Listed listed : ops.names(fd)) {
        delete(fd, listed.name());
      }
    } catch (CaptureException e) {
      boolean gone =
          e.getCause() instanceof ErrnoException reason && reason.errno() == Errno.ENOENT;
      if (!gone) {
        throw e;
      }
    } finally {
      ops.close(fd);
    }
  }
}
