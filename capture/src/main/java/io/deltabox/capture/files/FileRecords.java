package io.deltabox.capture.files;

import io.deltabox.capture.CaptureException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the looks at the changed files found, folded: the newest look at each name and inode wins.
 * Not thread-safe.
 */
final class FileRecords {
  private static final int KIND_ENTRY = 0x101;
  private static final int KIND_INODE = 0x102;
  private static final int KIND_HELD = 0x103;
  private static final int KIND_WHOLE = 0x104;

  /** What a name stood for: inode 0 is nothing. */
  record Name(long inode, int mode, int deviceMajor, int deviceMinor) {
    boolean absent() {
      return inode == 0;
    }

    boolean whiteout() {
      return (mode & FileMeta.TYPE_MASK) == FileMeta.TYPE_CHARACTER
          && deviceMajor == 0
          && deviceMinor == 0;
    }

    boolean directory() {
      return (mode & FileMeta.TYPE_MASK) == FileMeta.TYPE_DIRECTORY;
    }
  }

  /** An inode with everything read of it; overlay attributes are taken apart. */
  record Inode(
      FileStatus status,
      FileMeta meta,
      @Nullable FileContent content,
      String target,
      String origin,
      String redirect,
      boolean opaque) {}

  private final Map<Long, Map<String, Name>> names = new LinkedHashMap<>();
  private final Map<Long, Inode> inodes = new LinkedHashMap<>();
  private final List<Inode> held = new ArrayList<>();
  private final Set<Long> whole = new HashSet<>();

  Map<Long, Map<String, Name>> names() {
    return names;
  }

  Map<Long, Inode> inodes() {
    return inodes;
  }

  List<Inode> held() {
    return held;
  }

  Set<Long> whole() {
    return whole;
  }

  boolean isEmpty() {
    return names.isEmpty() && inodes.isEmpty() && held.isEmpty();
  }

  void add(long directory, String name, Name found) {
    names.computeIfAbsent(directory, d -> new HashMap<>()).put(name, found);
  }

  void add(Inode inode) {
    inodes.put(inode.status.inode(), inode);
  }

  /** Puts newer records over these. */
  void addAll(FileRecords newer) {
    newer.whole.forEach(names::remove);
    newer.names.forEach((dir, all) -> names.computeIfAbsent(dir, d -> new HashMap<>()).putAll(all));
    inodes.putAll(newer.inodes);
    held.addAll(newer.held);
    whole.addAll(newer.whole);
  }

  Set<FileContent> contents() {
    Set<FileContent> all = new HashSet<>();
    inodes.values().forEach(inode -> add(inode, all));
    held.forEach(inode -> add(inode, all));
    return all;
  }

  private static void add(Inode inode, Set<FileContent> to) {
    if (inode.content != null) {
      to.add(inode.content);
    }
  }

  /**
   * Reads the file records of an arena, skipping those of other parts.
   *
   * @param area address of the capture area the records point into
   * @param store where contents are copied to
   */
  static FileRecords parse(ByteBuffer arena, long area, ContentStore store) throws IOException {
    FileRecords records = new FileRecords();
    int at = 0;
    while (at + 16 <= arena.limit()) {
      int kind = arena.getInt(at);
      long length = arena.getLong(at + 8);
      if (length < 0 || length > arena.limit() - at - 16) {
        throw new CaptureException("file record runs past its arena: length=" + length);
      }
      records.record(kind, arena, at + 16, area, store);
      at += 16 + (int) ((length + 7) & ~7L);
    }
    return records;
  }

  private void record(int kind, ByteBuffer in, int at, long area, ContentStore store)
      throws IOException {
    switch (kind) {
      case KIND_ENTRY -> {
        Name name =
            new Name(
                in.getLong(at + 8), in.getInt(at + 16), in.getInt(at + 20), in.getInt(at + 24));
        names
            .computeIfAbsent(in.getLong(at), d -> new HashMap<>())
            .put(FileOps.text(in, at + 32, in.getInt(at + 28)), name);
      }
      case KIND_INODE -> {
        Inode inode = inode(in, at, area, store);
        inodes.put(inode.status.inode(), inode);
      }
      case KIND_HELD -> held.add(inode(in, at, area, store));
      case KIND_WHOLE -> {
        whole.add(in.getLong(at));
        names.put(in.getLong(at), new HashMap<>());
      }
      default -> {
        // A record of another part of the window.
      }
    }
  }

  private static Inode inode(ByteBuffer in, int at, long area, ContentStore store)
      throws IOException {
    FileStatus status = FileStatus.read(in, at);
    int extents = at + FileStatus.BYTES;
    int xattrs = extents + 16 * status.extents();
    String target = FileOps.text(in, xattrs + status.xattrBytes(), status.linkBytes());
    String origin = "";
    String redirect = "";
    boolean opaque = false;
    int flags = status.meta().attributes();
    List<FileMeta.Xattr> kept = new ArrayList<>();
    for (FileMeta.Xattr xattr : FileStatus.readXattrs(in, xattrs, status.xattrBytes())) {
      switch (xattr.name()) {
        case "trusted.overlay.origin" -> origin = originKey(xattr.value());
        case "trusted.overlay.redirect" -> redirect = xattr.value();
        case "trusted.overlay.opaque" -> opaque = xattr.value().equals("y");
        case "trusted.overlay.protattr" -> flags |= protectedFlags(xattr.value());
        default -> {
          if (!xattr.name().startsWith("trusted.overlay.")) {
            kept.add(xattr);
          }
        }
      }
    }
    FileMeta m = status.meta();
    FileMeta meta =
        new FileMeta(
            m.mode(),
            m.uid(),
            m.gid(),
            m.mtimeSeconds(),
            m.mtimeNanos(),
            flags,
            m.deviceMajor(),
            m.deviceMinor(),
            kept);
    FileContent content = m.isRegular() ? content(in, status, extents, area, store) : null;
    return new Inode(status, meta, content, target, origin, redirect, opaque);
  }

  /** The overlay keeps the flags it cannot set on the upper file in an attribute, a letter each. */
  private static int protectedFlags(String value) {
    return (value.contains("i") ? FileMeta.FLAG_IMMUTABLE : 0)
        | (value.contains("a") ? FileMeta.FLAG_APPEND : 0);
  }

  /**
   * The handle inside an origin attribute (struct ovl_fb: version, magic, length, flags, type,
   * uuid, handle), in the form {@link FileOps#tryHandle} gives; empty when there is none.
   */
  private static String originKey(String value) {
    if (value.length() < 21 || value.charAt(1) != 0xfb) {
      return "";
    }
    return value.charAt(4) + value.substring(21, Math.min(value.charAt(2), value.length()));
  }

  private static FileContent content(
      ByteBuffer in, FileStatus status, int extents, long area, ContentStore store)
      throws IOException {
    if (status.content() == FileStatus.UNREAD) {
      return FileContent.UNKNOWN;
    }
    long total = 0;
    for (int i = 0; i < status.extents(); i++) {
      total += in.getLong(extents + 16 * i + 8) - in.getLong(extents + 16 * i);
    }
    if (total == 0) {
      return new FileContent(status.size(), List.of());
    }
    ContentStore.Block block = store.store(area + status.content(), total);
    List<FileContent.Piece> pieces = new ArrayList<>();
    long offset = 0;
    for (int i = 0; i < status.extents(); i++) {
      long from = in.getLong(extents + 16 * i);
      long to = in.getLong(extents + 16 * i + 8);
      pieces.add(new FileContent.Piece(from, to, block, offset));
      offset += to - from;
    }
    return new FileContent(status.size(), pieces);
  }
}
