package io.deltabox.check;

import io.deltabox.linux.Errno;
import io.deltabox.linux.ErrnoException;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Reads the file tree of a sandbox as its pid 1 sees it. */
final class FileReader {
  private static final int REQUEST_BYTES = 40;
  private static final int ENTRY_BYTES = 112;
  private static final int CONTENT = 1;
  private static final int SHALLOW = 2;
  private static final int S_IFMT = 0xf000;
  private static final int S_IFDIR = 0x4000;

  /** Directories that come from the base and are rarely written. */
  private static final Set<String> BASE = Set.of("usr", "bin", "sbin");

  /** Directories on other mounts: not part of the tree that is captured. */
  private static final Set<String> OTHER = Set.of("proc", "sys", "dev");

  private record Inode(long dev, long ino) {}

  private final CheckFunctions functions;
  private final Scope scope;
  private final Map<String, String> files = new TreeMap<>();
  private final Map<Inode, TreeSet<String>> links = new HashMap<>();
  private long outBytes = 4L << 20;

  FileReader(CheckFunctions functions, Scope scope) {
    this.functions = functions;
    this.scope = scope;
  }

  /** Path to description; names that lead to the same file are part of it. */
  Map<String, String> read(int initPid) throws IOException {
    String root = "/proc/" + initPid + "/root";
    walk(root, ".", CONTENT | SHALLOW);
    for (String name : OTHER) {
      files.remove("/" + name);
    }
    for (String name : topLevel(root)) {
      boolean base = BASE.contains(name) || name.startsWith("lib");
      boolean skipped = base && scope.base() == Scope.Base.SKIPPED;
      if (skipped || OTHER.contains(name)) {
        continue;
      }
      walk(root, name, base ? 0 : CONTENT);
    }
    for (String extra : scope.extraPaths()) {
      walk(root, extra.substring(1), CONTENT);
    }
    for (TreeSet<String> names : links.values()) {
      if (names.size() > 1) {
        for (String name : names) {
          files.merge(name, " same file as " + names, String::concat);
        }
      }
    }
    return files;
  }

  private static List<String> topLevel(String root) throws IOException {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(Path.of(root))) {
      for (Path entry : entries) {
        if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
          names.add(String.valueOf(entry.getFileName()));
        }
      }
    }
    return names;
  }

  private void walk(String root, String below, int how) throws IOException {
    if (scope.skippedPaths().contains("/" + below)) {
      return;
    }
    byte[] rootBytes = terminated(root);
    byte[] belowBytes = terminated(below);
    int bytes = REQUEST_BYTES + rootBytes.length + belowBytes.length;
    try (Memory request = Memory.allocate(bytes, Memory.Touch.LATER)) {
      ByteBuffer buffer = request.slice(0, bytes);
      long text = request.address() + REQUEST_BYTES;
      buffer.putLong(text).putLong(text + rootBytes.length).putLong(how);
      buffer.position(REQUEST_BYTES);
      buffer.put(rootBytes).put(belowBytes);
      call(buffer, request.address(), below);
    }
  }

  private void call(ByteBuffer request, long address, String below) throws IOException {
    while (true) {
      try (Memory out = Memory.allocate(outBytes, Memory.Touch.LATER)) {
        request.putLong(24, out.address());
        request.putLong(32, outBytes);
        long used = functions.dbx_check_walk(address);
        if (used == -Errno.ENOENT) {
          return;
        }
        if (used != -Errno.ENOSPC) {
          parse(out.slice(0, Math.toIntExact(Errno.check(used, "walk path=/" + below))), below);
          return;
        }
      } catch (ErrnoException e) {
        throw new IOException("read file tree failed: path=/" + below, e);
      }
      outBytes *= 2;
    }
  }

  private static byte[] terminated(String text) {
    return (text + "\0").getBytes(StandardCharsets.ISO_8859_1);
  }

  private void parse(ByteBuffer entries, String below) {
    for (int at = 0; at < entries.limit(); at += entries.getInt(at)) {
      String name = text(entries, at + ENTRY_BYTES, entries.getInt(at + 96));
      String parent = below.equals(".") ? "" : "/" + below;
      String path = name.isEmpty() && !parent.isEmpty() ? parent : parent + "/" + name;
      if (scope.skippedPaths().stream().anyMatch(s -> path.equals(s) || path.startsWith(s + "/"))) {
        continue;
      }
      files.put(path, describe(entries, at));
      boolean directory = (entries.getInt(at + 4) & S_IFMT) == S_IFDIR;
      if (!directory && entries.getInt(at + 60) > 1) {
        Inode inode = new Inode(entries.getLong(at + 16), entries.getLong(at + 24));
        links.computeIfAbsent(inode, k -> new TreeSet<>()).add(path);
      }
    }
  }

  private static String describe(ByteBuffer entries, int at) {
    int mode = entries.getInt(at + 4);
    boolean directory = (mode & S_IFMT) == S_IFDIR;
    String target =
        text(entries, at + ENTRY_BYTES + entries.getInt(at + 96), entries.getInt(at + 100));
    return String.format(
        "mode=%o uid=%d gid=%d size=%d mtime=%d.%09d content=%016x%016x xattrs=%016x%016x rdev=%x"
            + " target=%s unreadable=%d",
        mode,
        entries.getInt(at + 8),
        entries.getInt(at + 12),
        directory ? 0 : entries.getLong(at + 40),
        entries.getLong(at + 48),
        entries.getInt(at + 56),
        entries.getLong(at + 64),
        entries.getLong(at + 72),
        entries.getLong(at + 80),
        entries.getLong(at + 88),
        entries.getLong(at + 32),
        target,
        entries.getInt(at + 104));
  }

  private static String text(ByteBuffer from, int at, int length) {
    byte[] bytes = new byte[length];
    from.get(at, bytes);
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
