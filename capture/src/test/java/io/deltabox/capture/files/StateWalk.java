package io.deltabox.capture.files;

import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** What a state says the whole tree is, in the words of the agent's walk. */
final class StateWalk {
  private final FileState state;
  private final FileOps ops;
  private final BaseTree base;
  private final Map<String, String> out = new TreeMap<>();
  private Map<FileId, List<String>> groups = new HashMap<>();
  private String prefix = "";

  private StateWalk(TestFiles files, FileState state) {
    this.state = state;
    this.ops = files.ops;
    this.base = state.base();
  }

  static Map<String, String> of(TestFiles files, FileState state) throws IOException {
    StateWalk walk = new StateWalk(files, state);
    walk.root(FileId.ROOT);
    walk.prefix = "shm:";
    walk.root(FileId.SHARED_ROOT);
    return walk.out;
  }

  /** What must hold inside a state: entries lead to nodes, and nodes know their names. */
  static List<String> faults(FileState state) {
    List<String> faults = new ArrayList<>();
    state
        .nodes()
        .forEach(
            (id, node) -> {
              if (node.links().isEmpty() && !id.isRoot()) {
                faults.add("node without a name " + id);
              }
              for (FileNode.Link link : node.links()) {
                FileNode directory = state.node(link.directory());
                FileEntry entry = directory == null ? null : directory.entries().get(link.name());
                if (entry == null || !id.equals(entry.id())) {
                  faults.add("link to nothing " + id + " " + link);
                }
              }
              node.entries()
                  .forEach(
                      (name, entry) -> {
                        if (entry.id() != null && state.node(entry.id()) == null) {
                          faults.add("entry without a node " + id + " " + name);
                        }
                      });
            });
    return faults;
  }

  private void root(FileId id) throws IOException {
    groups = new HashMap<>();
    describe(id, "/", "");
    below(id, "");
    for (List<String> names : groups.values()) {
      if (names.size() > 1) {
        out.put(prefix + "group:" + names.get(0), String.join(" ", names));
      }
    }
  }

  private void below(FileId id, String path) throws IOException {
    TreeSet<String> names = new TreeSet<>();
    FileNode node = state.node(id);
    if (node != null) {
      node.entries().forEach((name, entry) -> names.add(name));
    }
    if (id.isBaseDirectory()) {
      for (FileOps.Listed listed : base.names(id.key())) {
        names.add(listed.name());
      }
    }
    for (String name : names) {
      FileEntry entry = state.resolve(id, name);
      FileId file = entry.id();
      String child = path + "/" + name;
      if (file == null || child.equals("/.cover")) {
        continue;
      }
      String natural = id.isBaseDirectory() ? BaseTree.join(id.key(), name) : "";
      describe(file, child, natural);
      if (entry.isDirectory()) {
        below(file, child);
      } else {
        groups
            .computeIfAbsent(file, f -> new ArrayList<>())
            .add(HexFormat.of().formatHex(child.getBytes(StandardCharsets.ISO_8859_1)));
      }
    }
  }

  private void describe(FileId id, String path, String natural) throws IOException {
    FileNode node = state.node(id);
    String at = id.isBaseDirectory() ? id.key() : natural;
    WantedFile file = node != null ? WantedFile.of(node) : WantedFile.ofBase(base, at);
    FileMeta meta = file.meta();
    String kind =
        switch (meta.type()) {
          case FileMeta.TYPE_REGULAR -> "f";
          case FileMeta.TYPE_DIRECTORY -> "d";
          case FileMeta.TYPE_SYMLINK -> "l";
          case FileMeta.TYPE_CHARACTER -> "c";
          case 0010000 -> "p";
          case 0140000 -> "s";
          default -> "b";
        };
    StringBuilder text = new StringBuilder(kind);
    text.append(" mode=").append(Integer.toOctalString(meta.mode() & 07777));
    text.append(" owner=").append(meta.uid()).append(':').append(meta.gid());
    text.append(" mtime=").append(meta.mtimeSeconds() * 1_000_000_000L + meta.mtimeNanos());
    if (meta.isRegular()) {
      content(file, at, text);
    } else if (meta.isSymlink()) {
      text.append(" target=")
          .append(HexFormat.of().formatHex(file.target().getBytes(StandardCharsets.ISO_8859_1)));
    } else if (kind.equals("c")) {
      text.append(" device=").append((meta.deviceMajor() << 8) | meta.deviceMinor());
    }
    for (FileMeta.Xattr xattr : meta.xattrs()) {
      text.append(" x:").append(xattr.name()).append('=');
      text.append(HexFormat.of().formatHex(xattr.value().getBytes(StandardCharsets.ISO_8859_1)));
    }
    out.put(prefix + path, text.toString());
  }

  private void content(WantedFile file, String natural, StringBuilder text) throws IOException {
    MessageDigest digest = sha1();
    StringBuilder extents = new StringBuilder();
    long size;
    FileContent content = file.content();
    if (content != null) {
      size = content.size();
      long at = 0;
      for (FileContent.Piece piece : content.pieces()) {
        digest.update(new byte[(int) (piece.from() - at)]);
        ByteBuffer bytes =
            Memory.view(
                piece.block().address() + piece.offset(), (int) (piece.to() - piece.from()));
        digest.update(bytes);
        at = piece.to();
        extents.append(extents.isEmpty() ? "" : ",").append(piece.from() + "-" + piece.to());
      }
      digest.update(new byte[(int) (size - at)]);
    } else {
      int fd = base.open(natural);
      try {
        size = ops.stat(fd, "").size();
        digest.update(
            java.nio.file.Files.readAllBytes(java.nio.file.Path.of("/proc/self/fd/" + fd)));
        long[] all = ops.extents(fd, size);
        for (int i = 0; i < all.length; i += 2) {
          extents.append(i == 0 ? "" : ",").append(all[i] + "-" + all[i + 1]);
        }
      } finally {
        ops.close(fd);
      }
    }
    text.append(" size=").append(size);
    text.append(" data=").append(HexFormat.of().formatHex(digest.digest()), 0, 16);
    text.append(" extents=").append(extents);
  }

  private static MessageDigest sha1() {
    try {
      return MessageDigest.getInstance("SHA-1");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
