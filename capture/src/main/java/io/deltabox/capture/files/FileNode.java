package io.deltabox.capture.files;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a snapshot knows of one file or directory that is not, or not certainly, as in the base.
 *
 * @param links all names it has; one for a directory, none for a root
 * @param content of a regular file, else null
 * @param target of a symbolic link, else empty
 * @param entries names of a directory that are not as in the base; always all of them when it is
 *     not a base directory
 */
record FileNode(
    FileId id,
    FileMeta meta,
    List<Link> links,
    @Nullable FileContent content,
    String target,
    PersistentMap<String, FileEntry> entries) {
  /** A name in a directory. */
  record Link(FileId directory, String name) {}

  static FileNode of(FileId id, FileMeta meta) {
    return new FileNode(id, meta, List.of(), null, "", PersistentMap.empty());
  }

  FileNode withMeta(FileMeta newMeta) {
    return newMeta.equals(meta) ? this : new FileNode(id, newMeta, links, content, target, entries);
  }

  FileNode withContent(@Nullable FileContent newContent) {
    return newContent == content
        ? this
        : new FileNode(id, meta, links, newContent, target, entries);
  }

  FileNode withTarget(String newTarget) {
    return newTarget.equals(target)
        ? this
        : new FileNode(id, meta, links, content, newTarget, entries);
  }

  FileNode withEntry(String name, FileEntry entry) {
    return entry.equals(entries.get(name))
        ? this
        : new FileNode(id, meta, links, content, target, entries.with(name, entry));
  }

  FileNode withoutEntry(String name) {
    PersistentMap<String, FileEntry> rest = entries.without(name);
    return rest == entries ? this : new FileNode(id, meta, links, content, target, rest);
  }

  FileNode withLink(Link link) {
    if (links.contains(link)) {
      return this;
    }
    List<Link> all = new ArrayList<>(links);
    all.add(link);
    return new FileNode(id, meta, List.copyOf(all), content, target, entries);
  }

  FileNode withoutLink(Link link) {
    if (!links.contains(link)) {
      return this;
    }
    List<Link> rest = new ArrayList<>(links);
    rest.remove(link);
    return new FileNode(id, meta, List.copyOf(rest), content, target, entries);
  }

  boolean isDirectory() {
    return meta.isDirectory();
  }
}
