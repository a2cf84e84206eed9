package io.deltabox.capture.files;

import io.deltabox.capture.CaptureException;
import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Puts contents and attributes of single files back. Not thread-safe. */
final class FileRestorer implements AutoCloseable {
  private static final int ETXTBSY = 26;
  private static final int PIECE_BYTES = 24;
  private static final int HEADER_BYTES = 48;

  private final FileOps ops;
  private final BaseTree base;
  private Memory memory;
  private int written;
  private long bytesWritten;

  FileRestorer(FileOps ops, BaseTree base) throws IOException {
    this.ops = ops;
    this.base = base;
    this.memory = Memory.allocate(64 * 1024, Memory.Touch.NOW);
  }

  int written() {
    return written;
  }

  long bytesWritten() {
    return bytesWritten;
  }

  void resetCounts() {
    written = 0;
    bytesWritten = 0;
  }

  /** What happened to the contents of a file. */
  enum Outcome {
    SAME,
    WRITTEN,
    /** It is being executed: its inode cannot be written. */
    BUSY
  }

  /** Edits the contents of a regular file in place, writing only pages that differ. */
  Outcome content(int dir, String name, WantedFile wanted) throws CaptureException {
    int flags = FileOps.O_RDWR | FileOps.O_NONBLOCK | FileOps.O_NOFOLLOW | FileOps.O_NOATIME;
    int fd = ops.tryOpen(dir, name, flags);
    if (fd == -ETXTBSY || fd == -Errno.EAGAIN) {
      return Outcome.BUSY;
    }
    FileOps.check(fd, "open for writing", name);
    try {
      return restore(fd, name, wanted);
    } finally {
      ops.close(fd);
    }
  }

  private Outcome restore(int fd, String name, WantedFile wanted) throws CaptureException {
    int baseFd = -1;
    try {
      long size;
      List<long[]> pieces = new ArrayList<>();
      FileContent content = wanted.content();
      String path = wanted.basePath();
      if (content == FileContent.UNKNOWN) {
        throw new CaptureException("contents were not captured: path=" + FileOps.readable(name));
      }
      if (content != null) {
        size = content.size();
        for (FileContent.Piece piece : content.pieces()) {
          pieces.add(
              new long[] {piece.from(), piece.to(), piece.block().address() + piece.offset()});
        }
      } else if (path != null) {
        baseFd = base.open(path);
        size = base.size(path);
        long[] extents = ops.extents(baseFd, size);
        for (int i = 0; i < extents.length; i += 2) {
          pieces.add(new long[] {extents[i], extents[i + 1], 0});
        }
      } else {
        throw new CaptureException("contents are not known: path=" + FileOps.readable(name));
      }
      return call(fd, name, size, pieces, baseFd);
    } finally {
      ops.close(baseFd);
    }
  }

  private Outcome call(int fd, String name, long size, List<long[]> pieces, int baseFd)
      throws CaptureException {
    ByteBuffer view = room(HEADER_BYTES + pieces.size() * PIECE_BYTES);
    view.putLong(0, size);
    view.putLong(8, memory.address() + HEADER_BYTES);
    view.putLong(16, pieces.size());
    view.putInt(24, baseFd);
    for (int i = 0; i < pieces.size(); i++) {
      for (int j = 0; j < 3; j++) {
        view.putLong(HEADER_BYTES + i * PIECE_BYTES + 8 * j, pieces.get(i)[j]);
      }
    }
    FileOps.check(FileOps.calls().dbx_file_restore(fd, memory.address()), "write contents", name);
    long bytes = view.getLong(32);
    if (bytes == 0 && view.getLong(40) == 0) {
      return Outcome.SAME;
    }
    written++;
    bytesWritten += bytes;
    return Outcome.WRITTEN;
  }

  private ByteBuffer room(int bytes) throws CaptureException {
    if (bytes > memory.size()) {
      try {
        Memory larger = Memory.allocate(bytes * 2L, Memory.Touch.LATER);
        memory.close();
        memory = larger;
      } catch (IOException e) {
        throw new CaptureException("no memory for a file's pieces: bytes=" + bytes, e);
      }
    }
    return memory.slice(0, bytes);
  }

  /**
   * Makes owner, extended attributes, mode, times and flags those wanted; touches nothing that is
   * right already. Owner first, because chown(2) clears set-user-id bits; times last.
   *
   * @param name name in {@code dir}, "." for the directory itself
   * @param before what was read of the file in this pause, or null
   */
  void attributes(int dir, String name, FileMeta wanted, @Nullable FileNode before)
      throws CaptureException {
    FileMeta have = ops.stat(dir, name).meta();
    boolean owned = have.uid() == wanted.uid() && have.gid() == wanted.gid();
    if (have.attributes() != 0 && (have.isRegular() || have.isDirectory())) {
      ops.flags(dir, name, 0);
    }
    if (!owned) {
      ops.owner(dir, name, wanted.uid(), wanted.gid());
    }
    boolean xattrs = !sameXattrs(before, wanted) && xattrs(dir, name, wanted.xattrs());
    if (!wanted.isSymlink() && (!owned || xattrs || have.mode() != wanted.mode())) {
      ops.mode(dir, name, wanted.mode());
    }
    if (!owned || xattrs || !have.sameModificationTime(wanted)) {
      ops.times(dir, name, wanted);
    }
    if (wanted.attributes() != 0 && (wanted.isRegular() || wanted.isDirectory())) {
      ops.flags(dir, name, wanted.attributes());
    }
  }

  /** Writing and chown(2) drop capabilities, so attributes in that name space are always read. */
  private static boolean sameXattrs(@Nullable FileNode before, FileMeta wanted) {
    return before != null
        && before.meta().xattrs().equals(wanted.xattrs())
        && wanted.xattrs().stream().noneMatch(xattr -> xattr.name().startsWith("security."));
  }

  private boolean xattrs(int dir, String name, List<FileMeta.Xattr> wanted)
      throws CaptureException {
    List<FileMeta.Xattr> have = ops.xattrs(dir, name);
    if (have.equals(wanted)) {
      return false;
    }
    Map<String, String> values = new HashMap<>();
    have.forEach(xattr -> values.put(xattr.name(), xattr.value()));
    for (FileMeta.Xattr xattr : wanted) {
      if (!xattr.value().equals(values.remove(xattr.name()))) {
        ops.setXattr(dir, name, xattr);
      }
    }
    for (String extra : values.keySet()) {
      ops.removeXattr(dir, name, extra);
    }
    return true;
  }

  @Override
  public void close() {
    memory.close();
  }
}
