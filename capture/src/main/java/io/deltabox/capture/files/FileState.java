package io.deltabox.capture.files;

import io.deltabox.capture.CaptureSink;
import io.deltabox.capture.CaptureSource;
import io.deltabox.capture.CapturedFile;
import java.io.IOException;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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

  /** Passes on what differs from {@code since}, or everything; contents only where they differ. */
  public void send(@Nullable FileState since, CaptureSink to) throws IOException {
    List<FileNode> changed = new ArrayList<>();
    List<FileId> gone = new ArrayList<>();
    Map<FileId, FileContent> known = new HashMap<>();
    PersistentMap<FileId, FileNode> before = since == null ? PersistentMap.empty() : since.nodes;
    before.difference(
        nodes,
        (id, old, node) -> {
          if (node == null) {
            gone.add(id);
            return;
          }
          changed.add(node);
          if (old != null && old.content() != null) {
            known.put(id, old.content());
          }
        });
    for (FileNode node : changed) {
      boolean same = node.content() == known.get(node.id());
      to.file(record(node), same ? null : channel(node));
    }
    for (FileId id : gone) {
      to.fileDropped(NodeRecords.key(id));
    }
  }

  /** Shows every file with its content. */
  public void visit(CaptureSource.FileVisitor to) throws IOException {
    List<FileNode> all = new ArrayList<>();
    nodes.forEach((id, node) -> all.add(node));
    for (FileNode node : all) {
      to.file(record(node), channel(node));
    }
  }

  private CapturedFile record(FileNode node) {
    return NodeRecords.write(node, basePaths.get(node.id()));
  }

  private static @Nullable ReadableByteChannel channel(FileNode node) {
    FileContent content = node.content();
    return content == null ? null : new ContentChannel(content);
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
