package io.deltabox.capture.files;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The files of a sandbox at one moment, as what differs from the base.
 *
 * <p>Keyed by identity, not by path: a renamed directory is one changed entry however much lies
 * below it. What has no node is as in the base. Every node but the two roots is named by an entry
 * of a node. Immutable; versions share structure, so that keeping one costs what changed.
 */
public final class FileState {
  private final BaseTree base;
  private final PersistentMap<FileId, FileNode> nodes;
  private final PersistentMap<FileId, String> basePaths;

  /**
   * @param basePaths one path in the base of files of the base that have a node; a handle alone
   *     does not lead to one
   */
  FileState(
      BaseTree base,
      PersistentMap<FileId, FileNode> nodes,
      PersistentMap<FileId, String> basePaths) {
    this.base = base;
    this.nodes = nodes;
    this.basePaths = basePaths;
  }

  /** Nothing differs from the base. */
  static FileState untouched(BaseTree base) {
    return new FileState(base, PersistentMap.empty(), PersistentMap.empty());
  }

  PersistentMap<FileId, String> basePaths() {
    return basePaths;
  }

  BaseTree base() {
    return base;
  }

  PersistentMap<FileId, FileNode> nodes() {
    return nodes;
  }

  /** The same files over another view of the same base. */
  FileState over(BaseTree view) {
    return base == view ? this : new FileState(view, nodes, basePaths);
  }

  /** How many files and directories may differ from the base. */
  public int size() {
    return nodes.size();
  }

  @Nullable FileNode node(FileId id) {
    return nodes.get(id);
  }

  /** What a name stands for, from the base when it is not overridden. The directory must exist. */
  FileEntry resolve(FileId directory, String name) {
    FileNode node = nodes.get(directory);
    FileEntry entry = node == null ? null : node.entries().get(name);
    if (entry != null) {
      return entry;
    }
    if (!directory.isBaseDirectory()) {
      return FileEntry.ABSENT;
    }
    BaseTree.Found found = base.find(BaseTree.join(directory.key(), name));
    return found == null ? FileEntry.ABSENT : found.entry();
  }

  /** True when a directory exists in this state. */
  boolean hasDirectory(FileId id) {
    return id.isRoot() || nodes.get(id) != null || naturalLink(id) != null;
  }

  /** Where a base directory without a node lives: where the base has it, unless overridden. */
  FileNode.@Nullable Link naturalLink(FileId id) {
    if (!id.isBaseDirectory() || id.isRoot()) {
      return null;
    }
    return naturalLink(id, id.key());
  }

  /** The place of a base file at its own path, or null when it is not there. */
  FileNode.@Nullable Link naturalLink(FileId id, String path) {
    FileId parent = FileId.directory(BaseTree.parent(path));
    if (!hasDirectory(parent)) {
      return null;
    }
    String name = BaseTree.baseName(path);
    FileEntry entry = resolve(parent, name);
    return id.equals(entry.id()) ? new FileNode.Link(parent, name) : null;
  }

  /** One place of a directory; null for a root or one that does not exist. */
  FileNode.@Nullable Link linkOf(FileId directory) {
    FileNode node = nodes.get(directory);
    if (node == null) {
      return naturalLink(directory);
    }
    return node.links().isEmpty() ? null : node.links().get(0);
  }

  /** Path of a directory from its root; for messages and for the order of work. */
  String path(FileId directory) {
    if (directory.equals(FileId.SHARED_ROOT)) {
      return "dev/shm";
    }
    FileNode.Link link = linkOf(directory);
    return link == null ? "" : BaseTree.join(path(link.directory()), link.name());
  }

  String path(FileId directory, String name) {
    return BaseTree.join(path(directory), name);
  }

  /**
   * What changed from this state to {@code later}, in order of paths; a removed or added tree is
   * one line for its root. Costs as much as they differ.
   */
  public List<FileChange> diff(FileState later) {
    return FileDiff.between(this, later);
  }

  /** Collects the contents this state uses, skipping what {@code met} says was visited before. */
  void collect(Set<Object> met, Set<FileContent> to) {
    nodes.forEachNew(
        met,
        (id, node) -> {
          if (node.content() != null) {
            to.add(node.content());
          }
        });
  }
}
