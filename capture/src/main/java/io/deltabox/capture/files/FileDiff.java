package io.deltabox.capture.files;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The differences of two states as lines a person reads. */
final class FileDiff {
  private final FileState from;
  private final FileState to;
  private final List<FileChange> changes = new ArrayList<>();
  private final Map<FileId, FileNode.Link> removed = new HashMap<>();
  private final Map<FileId, List<FileNode.Link>> added = new HashMap<>();
  private final Set<FileId> contents = new HashSet<>();

  private FileDiff(FileState from, FileState to) {
    this.from = from;
    this.to = to;
  }

  static List<FileChange> between(FileState from, FileState to) {
    return new FileDiff(from, to).run();
  }

  private List<FileChange> run() {
    from.nodes().difference(to.nodes(), this::node);
    names();
    changes.sort(Comparator.comparing(FileChange::path));
    return List.copyOf(changes);
  }

  private void node(FileId id, @Nullable FileNode left, @Nullable FileNode right) {
    FileNode any = left != null ? left : right;
    if (any == null) {
      return;
    }
    if (any.isDirectory()) {
      directory(id, left, right);
    } else {
      contents.add(id);
    }
  }

  private void directory(FileId id, @Nullable FileNode left, @Nullable FileNode right) {
    if (!from.hasDirectory(id) || !to.hasDirectory(id)) {
      return;
    }
    PersistentMap<String, FileEntry> none = PersistentMap.empty();
    (left == null ? none : left.entries())
        .difference(
            right == null ? none : right.entries(),
            (name, a, b) -> {
              FileEntry before = from.resolve(id, name);
              FileEntry after = to.resolve(id, name);
              if (before.sameFile(after)) {
                return;
              }
              FileNode.Link link = new FileNode.Link(id, name);
              if (before.id() != null) {
                removed.put(before.id(), link);
              }
              if (after.id() != null) {
                added.computeIfAbsent(after.id(), i -> new ArrayList<>()).add(link);
              }
            });
    if (left != null && right != null && !sameAttributes(left.meta(), right.meta())) {
      add(FileChange.Kind.ATTRIBUTES, to.path(id), "", /* directory= */ true);
    }
  }

  /** The time of a directory changes with its names: not worth a line. */
  private static boolean sameAttributes(FileMeta a, FileMeta b) {
    return a.mode() == b.mode()
        && a.uid() == b.uid()
        && a.gid() == b.gid()
        && a.attributes() == b.attributes()
        && a.xattrs().equals(b.xattrs());
  }

  private void names() {
    Set<String> replaced = new HashSet<>();
    added.forEach(
        (id, links) -> {
          FileNode.Link old = removed.remove(id);
          for (FileNode.Link link : links) {
            String path = to.path(link.directory(), link.name());
            boolean directory = to.resolve(link.directory(), link.name()).isDirectory();
            if (old != null) {
              String source = from.path(old.directory(), old.name());
              add(FileChange.Kind.MOVED, path, source, directory);
              old = null;
            } else if (from.hasDirectory(link.directory())
                && from.resolve(link.directory(), link.name()).present()) {
              add(FileChange.Kind.MODIFIED, path, "", directory);
              replaced.add(path);
            } else {
              add(FileChange.Kind.ADDED, path, "", directory);
            }
            contents.remove(id);
          }
        });
    removed.forEach(
        (id, link) -> {
          String path = from.path(link.directory(), link.name());
          contents.remove(id);
          if (!replaced.contains(path)) {
            boolean directory = from.resolve(link.directory(), link.name()).isDirectory();
            add(FileChange.Kind.REMOVED, path, "", directory);
          }
        });
    contents.forEach(this::content);
  }

  private void content(FileId id) {
    FileNode left = from.node(id);
    FileNode right = to.node(id);
    FileNode any = right != null ? right : left;
    if (any == null || any.links().isEmpty()) {
      return;
    }
    FileNode.Link link = any.links().get(0);
    if (!to.hasDirectory(link.directory()) || !from.hasDirectory(link.directory())) {
      return;
    }
    String path = to.path(link.directory(), link.name());
    boolean same = left != null && right != null && (left.content() == right.content());
    boolean attributes = left != null && right != null && left.meta().equals(right.meta());
    if (!same) {
      add(FileChange.Kind.MODIFIED, path, "", /* directory= */ false);
    } else if (!attributes) {
      add(FileChange.Kind.ATTRIBUTES, path, "", /* directory= */ false);
    }
  }

  private void add(FileChange.Kind kind, String path, String source, boolean directory) {
    changes.add(new FileChange(kind, path, source, directory));
  }
}
