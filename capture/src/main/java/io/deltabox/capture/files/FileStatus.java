package io.deltabox.capture.files;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** What one look at an inode told; the fields of {@code struct dbx_files_inode}. */
record FileStatus(
    long device,
    long inode,
    long ctimeSeconds,
    int ctimeNanos,
    long birth,
    int links,
    long size,
    long content,
    int extents,
    int xattrBytes,
    int linkBytes,
    FileMeta meta) {
  static final int BYTES = 112;

  /** Marks contents that were not read. */
  static final long UNREAD = -1;

  /** Reads the fixed part at {@code at}; extended attributes are empty. */
  static FileStatus read(ByteBuffer in, int at) {
    FileMeta meta =
        new FileMeta(
            in.getInt(at + 52),
            in.getInt(at + 60),
            in.getInt(at + 64),
            in.getLong(at + 16),
            in.getInt(at + 40),
            in.getInt(at + 68) & (FileMeta.FLAG_IMMUTABLE | FileMeta.FLAG_APPEND),
            in.getInt(at + 72),
            in.getInt(at + 76),
            List.of());
    return new FileStatus(
        in.getLong(at),
        in.getLong(at + 8),
        in.getLong(at + 24),
        in.getInt(at + 44),
        in.getLong(at + 32) * 1_000_000_000L + in.getInt(at + 48),
        in.getInt(at + 56),
        in.getLong(at + 80),
        in.getLong(at + 88),
        in.getInt(at + 96),
        in.getInt(at + 100),
        in.getInt(at + 104),
        meta);
  }

  /** Unpacks {@code bytes} of extended attributes at {@code at}, in order of their names. */
  static List<FileMeta.Xattr> readXattrs(ByteBuffer in, int at, int bytes) {
    List<FileMeta.Xattr> all = new ArrayList<>();
    for (int end = at + bytes; at < end; ) {
      int nameLength = in.getShort(at) & 0xffff;
      int valueLength = in.getInt(at + 2);
      String name = FileOps.text(in, at + 6, nameLength);
      all.add(new FileMeta.Xattr(name, FileOps.text(in, at + 6 + nameLength, valueLength)));
      at += 6 + nameLength + valueLength;
    }
    all.sort(java.util.Comparator.comparing(FileMeta.Xattr::name));
    return all;
  }
}
