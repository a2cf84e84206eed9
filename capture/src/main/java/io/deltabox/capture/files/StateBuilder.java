package io.deltabox.capture.files;

import io.deltabox.capture.CaptureException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes the next state from an earlier one and what was found at the names that changed since.
 *
 * <p>Identity of a directory: the path in the base it is merged with, following the overlay's own
 * rules (opaque, redirect, else the parent's path and the own name); otherwise its inode. Identity
 * of a file: the handle of the base file it was copied up from, otherwise its inode. Single use.
 */
final class StateBuilder {
  private final BaseTree base;
  private final LiveFiles live;
  private final DeviceMap devices;
  private final FileRecords records;
  private final Map<Long, List<LinkByInode>> byInode = new HashMap<>();
  private final Set<FileId> suspects = new HashSet<>();
  private final Map<FileId, List<FileNode.Link>> pendingLinks = new HashMap<>();
  private final List<FileNode.Link> unread = new ArrayList<>();
  private final List<FileContent> redundant = new ArrayList<>();
  private final List<String> touched = new ArrayList<>();
  private final Set<FileId> located = new HashSet<>();
  private final Set<FileId> baseFiles = new HashSet<>();
  private PersistentMap<FileId, FileNode> nodes;
  private PersistentMap<FileId, String> basePaths;

  private record LinkByInode(long directory, String name) {}

  StateBuilder(FileState previous, FileRecords records, LiveFiles live, DeviceMap devices) {
    this.base = previous.base();
    this.nodes = previous.nodes();
    this.basePaths = previous.basePaths();
    this.records = records;
    this.live = live;
    this.devices = devices;
  }

  FileState build() throws CaptureException {
    placeDirectories();
    for (Map.Entry<Long, Map<String, FileRecords.Name>> all : records.names().entrySet()) {
      LiveFiles.Directory directory = resolve(all.getKey());
      if (directory != null) {
        dropUnlisted(all.getKey(), directory, all.getValue());
        for (Map.Entry<String, FileRecords.Name> name : all.getValue().entrySet()) {
          applyName(directory, name.getKey(), name.getValue());
        }
      }
    }
    for (FileRecords.Inode inode : records.inodes().values()) {
      applyInode(inode);
    }
    for (FileRecords.Inode inode : records.held()) {
      applyHeld(inode);
    }
    applySuspected();
    removeDead();
    requireComplete();
    noteBasePaths();
    return new FileState(base, nodes, basePaths);
  }

  /**
   * Contents that turned out equal to what was known; their memory can go once the state is kept.
   */
  List<FileContent> redundant() {
    return redundant;
  }

  /** Paths in the base of files met for the first time, and still at their place. */
  List<String> touched() {
    return touched;
  }

  private void noteBasePaths() {
    for (FileId id : baseFiles) {
      String path = live.basePath(id);
      if (path != null && nodes.get(id) != null) {
        basePaths = basePaths.with(id, path);
      }
    }
  }

  private void put(FileNode node) {
    if (node.id().kind() == FileId.Kind.BASE && basePaths.get(node.id()) == null) {
      baseFiles.add(node.id());
    }
    nodes = nodes.with(node.id(), node);
  }

  // ---- directories

  private void placeDirectories() {
    records
        .names()
        .forEach(
            (directory, all) ->
                all.forEach(
                    (name, found) -> {
                      if (found.directory()) {
                        byInode
                            .computeIfAbsent(found.inode(), i -> new ArrayList<>())
                            .add(new LinkByInode(directory, name));
                      }
                    }));
  }

  private LiveFiles.@Nullable Directory resolve(long inode) {
    LiveFiles.Directory known = live.directory(inode);
    if (known != null) {
      return known;
    }
    FileRecords.Inode found = records.inodes().get(inode);
    for (LinkByInode place : byInode.getOrDefault(inode, List.of())) {
      LiveFiles.Directory parent = found == null ? null : resolve(place.directory());
      if (found != null && parent != null) {
        return register(inode, parent, place, found);
      }
    }
    return null;
  }

  private LiveFiles.Directory register(
      long inode, LiveFiles.Directory parent, LinkByInode place, FileRecords.Inode found) {
    String path = basePath(parent, place.name(), found);
    boolean merged = path != null && base.isDirectory(path);
    FileId id =
        merged && path != null
            ? FileId.directory(path)
            : live.known(FileId.upper(inode, found.status().birth()));
    return live.putDirectory(inode, id, merged);
  }

  private static @Nullable String basePath(
      LiveFiles.Directory parent, String name, FileRecords.Inode found) {
    if (found.opaque()) {
      return null;
    }
    if (found.redirect().startsWith("/")) {
      return found.redirect().substring(1);
    }
    if (!parent.merged()) {
      return null;
    }
    return BaseTree.join(parent.id().key(), found.redirect().isEmpty() ? name : found.redirect());
  }

  /** A directory's node, made with its parents' when it has been as in the base until now. */
  private FileNode directoryNode(FileId id) throws CaptureException {
    FileNode node = nodes.get(id);
    if (node != null) {
      return node;
    }
    suspects.add(id);
    if (!id.isBaseDirectory()) {
      FileNode made =
          FileNode.of(id, new FileMeta(FileMeta.TYPE_DIRECTORY, 0, 0, 0, 0, 0, 0, 0, List.of()));
      put(made);
      return made;
    }
    FileNode made = FileNode.of(id, base.meta(id.key()));
    put(made);
    if (!id.isRoot()) {
      linkNaturally(id, id.key(), FileMeta.TYPE_DIRECTORY);
    }
    return nodes.get(id) == null ? made : java.util.Objects.requireNonNull(nodes.get(id));
  }

  /** Writes down the entry of something at its own place in the base, if nothing else is there. */
  private void linkNaturally(FileId id, String path, int type) throws CaptureException {
    FileId parent = FileId.directory(BaseTree.parent(path));
    String name = BaseTree.baseName(path);
    FileNode directory = directoryNode(parent);
    if (directory.entries().get(name) == null) {
      setEntry(parent, name, new FileEntry(id, type));
    }
  }

  // ---- names

  private void dropUnlisted(
      long inode, LiveFiles.Directory directory, Map<String, FileRecords.Name> listed)
      throws CaptureException {
    if (!records.whole().contains(inode)) {
      return;
    }
    FileNode node = directoryNode(directory.id());
    List<String> gone = new ArrayList<>();
    node.entries()
        .forEach(
            (name, entry) -> {
              if (!listed.containsKey(name)) {
                gone.add(name);
              }
            });
    for (String name : gone) {
      applyName(directory, name, new FileRecords.Name(0, 0, 0, 0));
    }
  }

  private void applyName(LiveFiles.Directory directory, String name, FileRecords.Name found)
      throws CaptureException {
    FileId id = directory.id();
    if (found.absent() || found.whiteout()) {
      boolean hides = id.isBaseDirectory() && (found.whiteout() || !directory.merged());
      BaseTree.Found hidden = hides ? base.find(BaseTree.join(id.key(), name)) : null;
      if (hidden != null) {
        rememberBase(directory, name, hidden.id());
        setEntry(id, name, FileEntry.ABSENT);
      } else {
        clearEntry(id, name);
      }
      return;
    }
    FileId file = identify(found);
    if (file == null) {
      unread.add(new FileNode.Link(id, name));
      return;
    }
    rememberBase(directory, name, file);
    setEntry(id, name, new FileEntry(file, found.mode() & FileMeta.TYPE_MASK));
  }

  private @Nullable FileId identify(FileRecords.Name found) {
    if (found.directory()) {
      LiveFiles.Directory directory = resolve(found.inode());
      return directory == null ? null : directory.id();
    }
    FileRecords.Inode inode = records.inodes().get(found.inode());
    return inode == null ? null : identify(inode);
  }

  private FileId identify(FileRecords.Inode inode) {
    FileId id =
        inode.origin().isEmpty()
            ? FileId.upper(inode.status().inode(), inode.status().birth())
            : FileId.base(inode.origin());
    return live.known(id);
  }

  /** Notes where in the base a copied-up file comes from, when it is seen at its own place. */
  private void rememberBase(LiveFiles.Directory directory, String name, FileId file) {
    if (file.kind() != FileId.Kind.BASE
        || live.basePath(file) != null
        || !directory.id().isBaseDirectory()) {
      return;
    }
    String path = BaseTree.join(directory.id().key(), name);
    BaseTree.Found found = base.find(path);
    if (found != null && found.id().equals(file)) {
      live.putBase(file, found.status().device(), found.status().inode(), path);
      if (!devices.knows(found.status().device())) {
        touched.add(path);
      }
    }
  }

  private void setEntry(FileId directory, String name, FileEntry entry) throws CaptureException {
    FileNode node = directoryNode(directory);
    FileEntry old = node.entries().get(name);
    put(node.withEntry(name, entry));
    FileNode.Link link = new FileNode.Link(directory, name);
    if (old != null && !old.sameFile(entry)) {
      unlink(old, link);
    }
    FileId id = entry.id();
    if (id != null) {
      FileNode file = nodes.get(id);
      if (file == null && entry.isDirectory()) {
        file = bareDirectory(id);
      }
      if (file != null) {
        put(file.withLink(link));
      } else {
        pending(id, link);
      }
    }
  }

  private FileNode bareDirectory(FileId id) throws CaptureException {
    return FileNode.of(
        id,
        id.isBaseDirectory()
            ? base.meta(id.key())
            : new FileMeta(FileMeta.TYPE_DIRECTORY, 0, 0, 0, 0, 0, 0, 0, List.of()));
  }

  private void pending(FileId id, FileNode.Link link) {
    pendingLinks.computeIfAbsent(id, i -> new ArrayList<>()).add(link);
  }

  private void clearEntry(FileId directory, String name) {
    FileNode node = nodes.get(directory);
    FileEntry old = node == null ? null : node.entries().get(name);
    if (node != null && old != null) {
      put(node.withoutEntry(name));
      unlink(old, new FileNode.Link(directory, name));
    }
  }

  private void unlink(FileEntry old, FileNode.Link link) {
    FileId id = old.id();
    if (id == null) {
      return;
    }
    FileNode file = nodes.get(id);
    if (file != null) {
      put(file.withoutLink(link));
      suspects.add(id);
    }
    List<FileNode.Link> waiting = pendingLinks.get(id);
    if (waiting != null) {
      waiting.remove(link);
    }
  }

  // ---- inodes

  private void applyInode(FileRecords.Inode inode) throws CaptureException {
    if (inode.meta().isDirectory()) {
      LiveFiles.Directory directory = resolve(inode.status().inode());
      if (directory != null) {
        put(directoryNode(directory.id()).withMeta(inode.meta()));
        suspects.add(directory.id());
      }
      return;
    }
    FileId id = identify(inode);
    live.putFile(inode.status().inode(), id);
    if (id.kind() == FileId.Kind.BASE && live.basePath(id) == null && located.add(id)) {
      BaseTree.Place place = base.place(id);
      if (place != null) {
        live.putBase(id, place.device(), place.inode(), place.path());
      }
    }
    FileNode old = nodes.get(id);
    List<FileNode.Link> waiting = pendingLinks.getOrDefault(id, List.of());
    // A link(2) to a base file copied up before tells nothing of the name it has in the base.
    boolean inPlace = old == null && linkBase(id, inode.meta());
    if (old == null && waiting.isEmpty() && !inPlace) {
      return;
    }
    FileNode node = nodes.get(id);
    if (node == null) {
      node = FileNode.of(id, inode.meta());
    }
    for (FileNode.Link link : waiting) {
      node = node.withLink(link);
    }
    pendingLinks.remove(id);
    put(refresh(node, inode.meta(), inode.content()).withTarget(inode.target()));
  }

  /** Equal contents stay the same object, so that versions share it. */
  private FileNode refresh(FileNode node, FileMeta meta, @Nullable FileContent content) {
    FileContent old = node.content();
    if (old != null && content != null && old != content && old.sameAs(content)) {
      redundant.add(content);
      content = old;
    }
    return node.withMeta(meta).withContent(content);
  }

  /** Gives a base file without a node one, at its own place. */
  private boolean linkBase(FileId id, FileMeta meta) throws CaptureException {
    String path = id.kind() == FileId.Kind.BASE ? live.basePath(id) : null;
    FileState now = new FileState(base, nodes, basePaths);
    if (path == null || now.naturalLink(id, path) == null) {
      return false;
    }
    put(FileNode.of(id, meta));
    linkNaturally(id, path, meta.type());
    return true;
  }

  /** A file known by what fstat(2) tells its holder; only its contents and status are news. */
  private void applyHeld(FileRecords.Inode inode) throws CaptureException {
    FileId id = devices.identify(inode.status().device(), inode.status().inode());
    if (id == null) {
      return;
    }
    FileNode node = nodes.get(id);
    if (node == null && linkBase(id, inode.meta())) {
      node = nodes.get(id);
      String path = live.basePath(id);
      if (node != null && path != null) {
        node = node.withMeta(base.meta(path));
      }
    }
    if (node != null) {
      put(refresh(node, node.meta().withStatus(inode.meta()), inode.content()));
    }
  }

  private final Set<FileId> suspected = new HashSet<>();

  /** Files that may have changed without a trace: their contents count as unknown. */
  void suspect(LiveHolders holders) {
    for (LiveHolders.Holder holder : holders.files()) {
      // A holder's name may be gone while the file lives under another one.
      FileId id = holder.writable() ? devices.identify(holder.device(), holder.inode()) : null;
      if (id != null) {
        suspected.add(id);
      }
    }
  }

  private void applySuspected() throws CaptureException {
    for (FileId id : suspected) {
      String path = id.kind() == FileId.Kind.BASE ? live.basePath(id) : null;
      if (nodes.get(id) == null && path != null) {
        linkBase(id, base.meta(path));
      }
      FileNode node = nodes.get(id);
      if (node != null && node.meta().isRegular()) {
        put(node.withContent(FileContent.UNKNOWN));
      }
    }
  }

  // ---- the end

  private void removeDead() {
    Deque<FileId> queue = new ArrayDeque<>(suspects);
    while (!queue.isEmpty()) {
      FileId id = queue.remove();
      FileNode node = nodes.get(id);
      if (node == null || id.isRoot() || !node.links().isEmpty()) {
        continue;
      }
      nodes = nodes.without(id);
      if (node.isDirectory()) {
        live.dropDirectory(id);
        node.entries()
            .forEach(
                (name, entry) -> {
                  FileId child = entry.id();
                  FileNode childNode = child == null ? null : nodes.get(child);
                  if (child != null && childNode != null) {
                    put(childNode.withoutLink(new FileNode.Link(id, name)));
                    queue.add(child);
                  }
                });
      }
    }
  }

  /**
   * Every name must lead to something that was looked at. A name of a directory that is gone may
   * not: no event of it could be followed.
   */
  private void requireComplete() throws CaptureException {
    List<FileNode.Link> open = new ArrayList<>(unread);
    pendingLinks.values().forEach(open::addAll);
    for (FileNode.Link link : open) {
      if (link.directory().isRoot() || nodes.get(link.directory()) != null) {
        throw new CaptureException(
            "file changed while it was looked at: path="
                + FileOps.readable(
                    new FileState(base, nodes, basePaths).path(link.directory(), link.name())));
      }
    }
  }
}
