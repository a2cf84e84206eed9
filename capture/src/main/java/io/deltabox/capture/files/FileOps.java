package io.deltabox.capture.files;

import io.deltabox.capture.CaptureException;
import io.deltabox.linux.Errno;
import io.deltabox.linux.ErrnoException;
import io.deltabox.linux.Memory;
import io.deltabox.linux.NativeLibrary;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * System calls on names in open directories, with the memory their arguments need. Methods whose
 * name begins with {@code try} return the negated error number, the others throw and name what they
 * tried. Not thread-safe.
 */
final class FileOps implements AutoCloseable {
  static final int O_RDONLY = 0;
  static final int O_RDWR = 2;
  static final int O_CREAT = 0100;
  static final int O_EXCL = 0200;
  static final int O_NONBLOCK = 04000;
  static final int O_DIRECTORY = 0200000;
  static final int O_NOFOLLOW = 0400000;
  static final int O_NOATIME = 01000000;
  static final int O_PATH = 010000000;
  static final int AT_REMOVEDIR = 0x200;
  static final int ENOBUFS = 105;
  static final int DT_DIR = 4;
  static final int DT_REG = 8;

  /** Longest name or path passed at once; the kernel's own limit is 4096 with the zero. */
  private static final int PATH_BYTES = 8192;

  private static final int XATTR_BYTES = 262144;
  private static final int LIST_BYTES = 65536;
  private static final int EXTENT_BYTES = 131072;

  /** Size of {@code struct dbx_files_scratch}, rounded up. */
  static final int SCRATCH_BYTES = 4 << 20;

  private static final FileCalls CALLS = NativeLibrary.bind(FileCalls.class);

  private final Memory memory;
  private final Memory scratch;
  private final long nameA;
  private final long nameB;
  private final long status;
  private final long buffer;
  private final ByteBuffer viewA;
  private final ByteBuffer viewB;
  private final ByteBuffer statusView;
  private final ByteBuffer bufferView;

  FileOps() throws IOException {
    memory = Memory.allocate(2L * PATH_BYTES + 4096 + XATTR_BYTES, Memory.Touch.NOW);
    scratch = Memory.allocate(SCRATCH_BYTES, Memory.Touch.LATER);
    nameA = memory.address();
    nameB = nameA + PATH_BYTES;
    status = nameB + PATH_BYTES;
    buffer = status + 4096;
    viewA = memory.slice(0, PATH_BYTES);
    viewB = memory.slice(PATH_BYTES, PATH_BYTES);
    statusView = memory.slice(2L * PATH_BYTES, 4096);
    bufferView = memory.slice(2L * PATH_BYTES + 4096, XATTR_BYTES);
  }

  static FileCalls calls() {
    return CALLS;
  }

  static String text(ByteBuffer in, int at, int length) {
    byte[] bytes = new byte[length];
    in.get(at, bytes);
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /** A name as people read it. */
  static String readable(String name) {
    return new String(name.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  private static void put(ByteBuffer view, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    if (bytes.length >= PATH_BYTES) {
      throw new IllegalArgumentException("name too long: bytes=" + bytes.length);
    }
    view.put(0, bytes);
    view.put(bytes.length, (byte) 0);
  }

  private long a(String text) {
    put(viewA, text);
    return nameA;
  }

  private long b(String text) {
    put(viewB, text);
    return nameB;
  }

  static long check(long result, String tried, String name) throws CaptureException {
    if (result < 0) {
      String what = tried + " path=" + readable(name);
      throw new CaptureException(
          what + " failed: " + Errno.text((int) -result), new ErrnoException((int) -result, what));
    }
    return result;
  }

  int tryOpen(int dir, String name, int flags) {
    return CALLS.dbx_file_open(dir, a(name), flags);
  }

  int open(int dir, String name, int flags) throws CaptureException {
    return (int) check(tryOpen(dir, name, flags), "open", name);
  }

  void close(int fd) {
    if (fd >= 0) {
      CALLS.dbx_file_close(fd);
    }
  }

  /** The status of a name, not following a link; of the descriptor itself for the empty name. */
  @Nullable FileStatus tryStat(int dir, String name) {
    return CALLS.dbx_file_stat(dir, a(name), status) < 0 ? null : FileStatus.read(statusView, 0);
  }

  FileStatus stat(int dir, String name) throws CaptureException {
    check(CALLS.dbx_file_stat(dir, a(name), status), "stat", name);
    return FileStatus.read(statusView, 0);
  }

  void make(int dir, String name, int mode, int major, int minor) throws CaptureException {
    check(CALLS.dbx_file_make(dir, a(name), mode, major, minor), "create", name);
  }

  int tryMake(int dir, String name, int mode) {
    return CALLS.dbx_file_make(dir, a(name), mode, 0, 0);
  }

  void symlink(String target, int dir, String name) throws CaptureException {
    check(CALLS.dbx_file_symlink(b(target), dir, a(name)), "create link", name);
  }

  void link(int fromDir, String from, int toDir, String to) throws CaptureException {
    check(CALLS.dbx_file_link(fromDir, a(from), toDir, b(to)), "link", to);
  }

  int tryRename(int fromDir, String from, int toDir, String to) {
    return CALLS.dbx_file_rename(fromDir, a(from), toDir, b(to));
  }

  void rename(int fromDir, String from, int toDir, String to) throws CaptureException {
    check(tryRename(fromDir, from, toDir, to), "rename to " + readable(to), from);
  }

  int tryUnlink(int dir, String name, int flags) {
    return CALLS.dbx_file_unlink(dir, a(name), flags);
  }

  void unlink(int dir, String name) throws CaptureException {
    check(tryUnlink(dir, name, 0), "remove", name);
  }

  void mode(int dir, String name, int mode) throws CaptureException {
    check(CALLS.dbx_file_mode(dir, a(name), mode), "chmod", name);
  }

  void owner(int dir, String name, int uid, int gid) throws CaptureException {
    check(CALLS.dbx_file_owner(dir, a(name), uid, gid), "chown", name);
  }

  void times(int dir, String name, FileMeta meta) throws CaptureException {
    check(
        CALLS.dbx_file_times(dir, a(name), meta.mtimeSeconds(), meta.mtimeNanos()),
        "set times",
        name);
  }

  void flags(int dir, String name, int flags) throws CaptureException {
    int mask = FileMeta.FLAG_IMMUTABLE | FileMeta.FLAG_APPEND;
    check(CALLS.dbx_file_flags(dir, a(name), mask, flags), "set flags", name);
  }

  /** Extended attributes without those of the overlay. */
  List<FileMeta.Xattr> xattrs(int dir, String name) throws CaptureException {
    int bytes = CALLS.dbx_file_xattr_list(dir, a(name), scratch.address(), buffer, XATTR_BYTES);
    check(bytes, "list attributes", name);
    List<FileMeta.Xattr> all = FileStatus.readXattrs(bufferView, 0, bytes);
    all.removeIf(xattr -> xattr.name().startsWith("trusted.overlay."));
    return all;
  }

  private static String procPath(int dir, String name) {
    return "/proc/self/fd/" + dir + (name.isEmpty() ? "/." : "/" + name);
  }

  void setXattr(int dir, String name, FileMeta.Xattr xattr) throws CaptureException {
    byte[] value = xattr.value().getBytes(StandardCharsets.ISO_8859_1);
    bufferView.put(0, value);
    check(
        CALLS.dbx_file_xattr_set(a(procPath(dir, name)), b(xattr.name()), buffer, value.length),
        "set attribute " + xattr.name(),
        name);
  }

  void removeXattr(int dir, String name, String attribute) throws CaptureException {
    check(
        CALLS.dbx_file_xattr_remove(a(procPath(dir, name)), b(attribute)),
        "remove attribute " + attribute,
        name);
  }

  String linkTarget(int dir, String name) throws CaptureException {
    int length = CALLS.dbx_file_link_target(dir, a(name), buffer, PATH_BYTES);
    check(length, "read link", name);
    return text(bufferView, 0, length);
  }

  /** The file handle as the overlay stores it in its origin attribute, or null. */
  @Nullable String tryHandle(int dir, String name) {
    int length = CALLS.dbx_file_handle(dir, a(name), buffer, 256);
    if (length < 4) {
      return null;
    }
    return (char) (bufferView.getInt(0) & 0xff) + text(bufferView, 4, length - 4);
  }

  /** Opens with O_PATH what a handle in the form of {@link #tryHandle} stands for. */
  int tryOpenHandle(int mount, String handle) {
    byte[] bytes = handle.getBytes(StandardCharsets.ISO_8859_1);
    if (bytes.length < 2 || bytes.length > 128) {
      return -Errno.EINVAL;
    }
    bufferView.putInt(0, bytes.length - 1);
    bufferView.putInt(4, bytes[0] & 0xff);
    bufferView.put(8, bytes, 1, bytes.length - 1);
    return CALLS.dbx_file_open_handle(mount, buffer, O_PATH);
  }

  /** A name of a directory and its type, as {@code d_type} has it. */
  record Listed(String name, int type, long inode) {}

  /** All names of a directory but the two dots; the descriptor must be fresh and readable. */
  List<Listed> names(int dir) throws CaptureException {
    List<Listed> all = new ArrayList<>();
    for (; ; ) {
      long bytes = check(CALLS.dbx_file_names(dir, buffer, LIST_BYTES), "list directory", "");
      if (bytes == 0) {
        return all;
      }
      for (int at = 0; at < bytes; at += bufferView.getShort(at + 16) & 0xffff) {
        int end = at + 19;
        while (bufferView.get(end) != 0) {
          end++;
        }
        String name = text(bufferView, at + 19, end - at - 19);
        if (!name.equals(".") && !name.equals("..")) {
          all.add(new Listed(name, bufferView.get(at + 18) & 0xff, bufferView.getLong(at)));
        }
      }
    }
  }

  /** The data extents of an open file: pairs of from, to. */
  long[] extents(int fd, long size) throws CaptureException {
    long count = CALLS.dbx_file_extents(fd, size, buffer, EXTENT_BYTES);
    check(count, "read extents", "");
    long[] all = new long[(int) count * 2];
    for (int i = 0; i < all.length; i++) {
      all[i] = bufferView.getLong(8 * i);
    }
    return all;
  }

  /** An overlay of lower directories, topmost first; without an upper one a read-only view. */
  int overlay(List<Integer> lowers, int upper, int work) throws CaptureException {
    for (int i = 0; i < lowers.size(); i++) {
      bufferView.putInt(4 * i, lowers.get(i));
    }
    return (int)
        check(
            CALLS.dbx_file_mount_overlay(buffer, lowers.size(), upper, work), "mount overlay", "");
  }

  int clone(int dir, String name) throws CaptureException {
    return (int) check(CALLS.dbx_file_clone(dir, a(name)), "clone mount", name);
  }

  @Override
  public void close() {
    memory.close();
    scratch.close();
  }
}
