package io.deltabox.capture.files;

import io.deltabox.capture.CaptureException;
import io.deltabox.linux.Errno;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One rollback of the files: edits the living tree through a clone of the sandbox's own mount until
 * it is the target.
 *
 * <p>The plan is made on identities: an entry is (directory, name, file). Living entries the target
 * does not have are put away first, to a hidden directory when the target wants the file anywhere,
 * else for good; a removed directory goes to the hidden directory whole and is deleted later. Then
 * missing entries are built: shown again from the base, moved out of the hidden directory, or made.
 * Contents and attributes follow, then hard links, when every directory is in its place, then the
 * times of directories. Idempotent: what is right is not touched. Single use.
 */
final class FileRollback implements AutoCloseable {
  /** A file of the base with several names there that had to be made again. */
  private record Split(FileId directory, String name, String basePath) {}

  private record Build(FileId directory, String name, FileEntry entry) {}

  private final FileOps ops;
  private final FileRestorer restorer;
  private final FilePlaces places;
  private final LiveFiles files;
  private final FileState live;
  private final FileState target;
  private final BaseTree base;
  private final FileWorld world;
  private final Exposer exposer;
  private final Staging staging;

  private final Set<FileId> touched = new LinkedHashSet<>();
  private final List<Build> evacuations = new ArrayList<>();
  private final List<Build> builds = new ArrayList<>();
  private final Set<FileId> wantedIds = new HashSet<>();
  private final Map<FileId, Deque<FileNode.Link>> staged = new HashMap<>();
  private final Map<FileId, FileNode.Link> built = new HashMap<>();
  private final Set<FileId> shownTrees = new HashSet<>();
  private final Set<FileId> made = new HashSet<>();
  private final Set<FileId> editedDirectories = new LinkedHashSet<>();
  private final List<Build> hardLinks = new ArrayList<>();
  private final List<String> replaced = new ArrayList<>();
  private final List<Split> splits = new ArrayList<>();
  private final Map<FileId, FileNode.Link> splitMade = new HashMap<>();
  private final Set<String> leased;
  private int removed;
  private int created;
  private int moves;
  private int exposed;

  FileRollback(
      FileOps ops,
      FileRestorer restorer,
      FilePlaces places,
      LiveFiles files,
      Staging staging,
      FileState live,
      FileState target,
      Exposer exposer,
      Set<String> leased) {
    this.ops = ops;
    this.restorer = restorer;
    this.places = places;
    this.files = files;
    this.staging = staging;
    this.live = live;
    this.target = target;
    this.base = live.base();
    this.exposer = exposer;
    this.leased = leased;
    this.world = new FileWorld(ops, live, places);
  }

  FileRollbackResult run() throws CaptureException {
    restorer.resetCounts();
    staging.begin();
    plan();
    for (Build build : builds) {
      wantedIds.add(Objects.requireNonNull(build.entry.id()));
    }
    for (Build evacuation : evacuations) {
      evacuate(evacuation.directory, evacuation.name, evacuation.entry);
    }
    expose();
    for (Build build : List.copyOf(builds)) {
      build(build.directory, build.name, build.entry);
    }
    restoreFiles();
    for (Build link : hardLinks) {
      hardLink(link);
    }
    dropLeftovers();
    restoreDirectories();
    noteCopiedUp();
    return new FileRollbackResult(
        removed,
        created,
        moves,
        exposed,
        restorer.written(),
        restorer.bytesWritten(),
        replaced,
        splits.stream()
            .map(split -> FileOps.readable(world.path(split.directory, split.name)))
            .toList());
  }

  /**
   * What is not as the target says: a base file with several names there that was made again is a
   * file of its own now, apart from the names of it that nobody has touched.
   */
  FileRecords split(ContentStore store) throws IOException {
    FileRecords records = new FileRecords();
    for (Split split : splits) {
      FileStatus status = upperStatus(split.directory, split.name);
      Long directory = files.directoryInode(split.directory);
      if (directory == null) {
        throw new CaptureException("directory made again is not known: path=" + split.basePath);
      }
      FileMeta meta = base.meta(split.basePath);
      FileContent content = meta.isRegular() ? base.content(split.basePath, store) : null;
      String link = meta.isSymlink() ? base.linkTarget(split.basePath) : "";
      records.add(directory, split.name, new FileRecords.Name(status.inode(), meta.mode(), 1, 1));
      records.add(new FileRecords.Inode(status, meta, content, link, "", "", false));
    }
    return records;
  }

  /** Whether the base has several names for a file: an entry of one tells nothing of the others. */
  private boolean hasSeveralNames(FileId directory, String name, FileId id) {
    if (id.kind() != FileId.Kind.BASE || !directory.isBaseDirectory()) {
      return false;
    }
    BaseTree.Found found = base.find(BaseTree.join(directory.key(), name));
    return found != null && found.id().equals(id) && found.status().links() > 1;
  }

  // ---- plan

  private void plan() {
    live.nodes()
        .difference(
            target.nodes(),
            (id, left, right) -> {
              // What was made inside and has no node in the target is not there at all.
              if (right != null || id.kind() != FileId.Kind.UPPER) {
                touched.add(id);
              }
              FileNode any = left != null ? left : right;
              if (any != null && any.isDirectory()) {
                planDirectory(id, left, right);
              }
            });
  }

  private void planDirectory(FileId id, @Nullable FileNode left, @Nullable FileNode right) {
    if (!live.hasDirectory(id) || !target.hasDirectory(id)) {
      return;
    }
    entries(left)
        .difference(
            entries(right),
            (name, a, b) -> {
              FileEntry have = live.resolve(id, name);
              FileEntry want = target.resolve(id, name);
              if (have.sameFile(want)) {
                return;
              }
              if (have.present()) {
                evacuations.add(new Build(id, name, have));
              }
              if (want.present()) {
                builds.add(new Build(id, name, want));
              }
            });
  }

  private static PersistentMap<String, FileEntry> entries(@Nullable FileNode node) {
    return node == null ? PersistentMap.empty() : node.entries();
  }

  /** Where the target has a file; null when it has no place there. */
  private FileNode.@Nullable Link targetLink(FileId id) {
    return linkIn(target, id);
  }

  private FileNode.@Nullable Link linkIn(FileState state, FileId id) {
    FileNode node = state.node(id);
    if (node != null) {
      return node.links().isEmpty() ? null : node.links().get(0);
    }
    if (id.kind() == FileId.Kind.BASE) {
      String path = files.basePath(id);
      return path == null ? null : state.naturalLink(id, path);
    }
    return state.naturalLink(id);
  }

  // ---- away

  private void evacuate(FileId directory, String name, FileEntry entry) throws CaptureException {
    FileId id = Objects.requireNonNull(entry.id());
    rememberBase(directory, name, id);
    int dir = edit(directory);
    unlock(dir, name, id);
    if ((targetLink(id) != null || isBuilt(id)) && !hasSeveralNames(directory, name, id)) {
      FileNode.Link place = stage(directory, dir, name, entry);
      staged.computeIfAbsent(id, i -> new ArrayDeque<>()).add(place);
    } else if (entry.isDirectory()) {
      staging.requireNoMountBelow(world.path(directory, name));
      FileNode.Link place = stage(directory, dir, name, entry);
      staging.discard(place.directory().equals(FileWorld.SHARED_STAGE), place.name());
      forgetTree(id);
      removed++;
    } else {
      ops.unlink(dir, name);
      removed++;
    }
    world.set(directory, name, FileEntry.ABSENT);
  }

  private boolean isBuilt(FileId id) {
    return id.kind() == FileId.Kind.BASE && wantedIds.contains(id);
  }

  /** A base file that was never touched: its place in the base is where it is now. */
  private void rememberBase(FileId directory, String name, FileId id) {
    if (id.kind() == FileId.Kind.BASE
        && directory.isBaseDirectory()
        && files.basePath(id) == null) {
      String path = BaseTree.join(directory.key(), name);
      BaseTree.Found found = base.find(path);
      if (found != null && found.id().equals(id)) {
        files.putBase(id, found.status().device(), found.status().inode(), path);
      }
    }
  }

  private FileNode.Link stage(FileId directory, int dir, String name, FileEntry entry)
      throws CaptureException {
    FileId into = world.stageOf(directory);
    String stagedName = staging.nextName();
    ops.rename(dir, name, world.directory(into), stagedName);
    if (entry.isDirectory()) {
      world.moved(Objects.requireNonNull(entry.id()), into, stagedName);
    }
    return new FileNode.Link(into, stagedName);
  }

  /** The directories of a removed tree stand for nothing any more; those moved out of it go on. */
  private void forgetTree(FileId id) {
    FileNode node = live.node(id);
    files.dropDirectory(id);
    if (node != null) {
      node.entries()
          .forEach(
              (name, entry) -> {
                FileId child = entry.id();
                if (child != null && entry.isDirectory() && targetLink(child) == null) {
                  forgetTree(child);
                }
              });
    }
  }

  /** A descriptor of a directory whose entries are about to change. */
  private int edit(FileId directory) throws CaptureException {
    int dir = world.directory(directory);
    if (editedDirectories.add(directory)) {
      FileNode node = live.node(directory);
      if (node != null && node.meta().attributes() != 0) {
        ops.flags(dir, ".", 0);
      }
    }
    return dir;
  }

  private void unlock(int dir, String name, FileId id) throws CaptureException {
    FileNode node = live.node(id);
    if (node != null && node.meta().attributes() != 0) {
      ops.flags(dir, name, 0);
    }
  }

  // ---- shown again

  private void expose() throws CaptureException {
    Deque<Build> queue = new ArrayDeque<>(builds);
    while (!queue.isEmpty()) {
      Build build = queue.remove();
      if (world.now(build.directory, build.name).present() || !canExpose(build)) {
        continue;
      }
      edit(build.directory);
      if (exposer.show(world, build.directory, build.name)) {
        exposed++;
        world.set(build.directory, build.name, build.entry);
        FileId id = Objects.requireNonNull(build.entry.id());
        built.put(id, new FileNode.Link(build.directory, build.name));
        if (build.entry.isDirectory()) {
          files.dropDirectory(id);
          shownTrees.add(id);
          world.moved(id, build.directory, build.name);
          repairShown(id);
        }
      }
    }
  }

  private boolean canExpose(Build build) throws CaptureException {
    FileId directory = build.directory;
    FileId id = build.entry.id();
    if (id == null || !directory.isBaseDirectory() || !files.merged(directory)) {
      return false;
    }
    String path = BaseTree.join(directory.key(), build.name);
    BaseTree.Found found = base.find(path);
    return found != null
        && found.id().equals(id)
        && !staged.containsKey(id)
        && exposer.allowed(live, found, path, id);
  }

  /** What the target has otherwise than the base in a directory just shown again. */
  private void repairShown(FileId id) throws CaptureException {
    FileNode node = target.node(id);
    if (node == null) {
      return;
    }
    List<Build> differing = new ArrayList<>();
    node.entries().forEach((name, entry) -> differing.add(new Build(id, name, entry)));
    for (Build want : differing) {
      BaseTree.Found found = base.find(BaseTree.join(id.key(), want.name));
      FileEntry have = found == null ? FileEntry.ABSENT : found.entry();
      if (have.sameFile(want.entry)) {
        if (want.entry.isDirectory() && want.entry.id() != null) {
          repairShown(want.entry.id());
        }
        continue;
      }
      if (have.present()) {
        evacuate(id, want.name, have);
        // It may be wanted elsewhere, with other names in it than the base has.
        if (have.isDirectory() && have.id() != null && targetLink(have.id()) != null) {
          repairShown(have.id());
        }
      }
      if (want.entry.present()) {
        builds.add(want);
      }
    }
  }

  // ---- built

  private void build(FileId directory, String name, FileEntry entry) throws CaptureException {
    FileId id = Objects.requireNonNull(entry.id());
    if (id.equals(world.now(directory, name).id())) {
      return;
    }
    rememberBase(directory, name, id);
    int dir = edit(directory);
    Deque<FileNode.Link> waiting = staged.get(id);
    FileNode.Link from = waiting == null ? null : waiting.poll();
    if (hasSeveralNames(directory, name, id)) {
      buildSplit(directory, dir, name, entry);
      return;
    }
    if (from == null && built.get(id) == null) {
      from = livingPlace(id);
      if (from != null && keptInTarget(from, id)) {
        built.put(id, from);
        from = null;
      }
    }
    if (from != null) {
      ops.rename(world.directory(from.directory()), from.name(), dir, name);
      moves++;
      if (entry.isDirectory()) {
        world.moved(id, directory, name);
      }
    } else if (built.get(id) != null && !entry.isDirectory()) {
      hardLinks.add(new Build(directory, name, entry));
      world.set(directory, name, entry);
      return;
    } else {
      create(directory, dir, name, entry);
    }
    world.set(directory, name, entry);
    built.putIfAbsent(id, new FileNode.Link(directory, name));
  }

  /** A base file with several names there: the names made again share one new inode. */
  private void buildSplit(FileId directory, int dir, String name, FileEntry entry)
      throws CaptureException {
    FileId id = Objects.requireNonNull(entry.id());
    splits.add(new Split(directory, name, BaseTree.join(directory.key(), name)));
    FileNode.Link first = splitMade.get(id);
    if (first == null) {
      create(directory, dir, name, entry);
      splitMade.put(id, new FileNode.Link(directory, name));
    } else {
      ops.link(world.directory(first.directory()), first.name(), dir, name);
    }
    world.set(directory, name, entry);
  }

  /** A place where a file still lives: in a directory that goes, or one that stays. */
  private FileNode.@Nullable Link livingPlace(FileId id) {
    FileNode node = live.node(id);
    if (node == null) {
      FileNode.Link shown = shownPlace(id);
      if (shown != null) {
        return shown;
      }
      FileNode.Link natural = linkIn(live, id);
      return natural != null && id.equals(world.now(natural.directory(), natural.name()).id())
          ? natural
          : null;
    }
    FileNode.Link found = null;
    for (FileNode.Link link : node.links()) {
      if (id.equals(world.now(link.directory(), link.name()).id())) {
        if (keptInTarget(link, id)) {
          return link;
        }
        found = link;
      }
    }
    return found;
  }

  /** A base file's own place, when a tree around it has just been shown again. */
  private FileNode.@Nullable Link shownPlace(FileId id) {
    String path = id.kind() == FileId.Kind.BASE ? files.basePath(id) : null;
    for (FileId tree : shownTrees) {
      if (path != null && path.startsWith(tree.key() + "/")) {
        FileId parent = FileId.directory(BaseTree.parent(path));
        String name = BaseTree.baseName(path);
        return id.equals(world.now(parent, name).id()) ? new FileNode.Link(parent, name) : null;
      }
    }
    return null;
  }

  private boolean keptInTarget(FileNode.Link link, FileId id) {
    return target.hasDirectory(link.directory())
        && id.equals(target.resolve(link.directory(), link.name()).id());
  }

  private void create(FileId directory, int dir, String name, FileEntry entry)
      throws CaptureException {
    FileId id = Objects.requireNonNull(entry.id());
    created++;
    WantedFile wanted = wanted(id, directory, name);
    FileMeta meta = wanted.meta();
    if (meta.isSymlink()) {
      ops.symlink(wanted.target(), dir, name);
    } else {
      int mode = meta.type() | (meta.isDirectory() ? 0700 : 0600);
      ops.make(dir, name, mode, meta.deviceMajor(), meta.deviceMinor());
    }
    made.add(id);
    touched.add(id);
    FileStatus status = upperStatus(directory, name);
    FileId actual = FileId.upper(status.inode(), status.birth());
    if (!meta.isDirectory()) {
      if (!hasSeveralNames(directory, name, id)) {
        files.alias(actual, id);
        files.putFile(status.inode(), id);
      }
      return;
    }
    files.putDirectory(status.inode(), id, /* merged= */ false);
    world.madeBare(id);
    world.moved(id, directory, name);
    world.set(directory, name, entry);
    buildBelow(id);
  }

  private FileStatus upperStatus(FileId directory, String name) throws CaptureException {
    return ops.stat(
        world.inShared(directory) ? world.directory(directory) : world.upperDirectory(directory),
        name);
  }

  /** Everything the target has in a directory that was made again. */
  private void buildBelow(FileId id) throws CaptureException {
    FileNode node = target.node(id);
    List<Build> below = new ArrayList<>();
    Set<String> named = new HashSet<>();
    if (node != null) {
      node.entries()
          .forEach(
              (name, entry) -> {
                named.add(name);
                if (entry.present()) {
                  below.add(new Build(id, name, entry));
                }
              });
    }
    if (id.isBaseDirectory()) {
      for (FileOps.Listed listed : base.names(id.key())) {
        BaseTree.Found found =
            named.contains(listed.name())
                ? null
                : base.find(BaseTree.join(id.key(), listed.name()));
        if (found != null) {
          below.add(new Build(id, listed.name(), found.entry()));
        }
      }
    }
    for (Build build : below) {
      build(build.directory, build.name, build.entry);
    }
  }

  private void hardLink(Build link) throws CaptureException {
    FileNode.Link from = Objects.requireNonNull(built.get(Objects.requireNonNull(link.entry.id())));
    ops.link(
        world.directory(from.directory()), from.name(), world.directory(link.directory), link.name);
  }

  private void dropLeftovers() throws CaptureException {
    for (Deque<FileNode.Link> all : staged.values()) {
      for (FileNode.Link place : all) {
        int dir = world.directory(place.directory());
        int result = ops.tryUnlink(dir, place.name(), 0);
        if (result == -Errno.EISDIR) {
          staging.discard(place.directory().equals(FileWorld.SHARED_STAGE), place.name());
        } else {
          FileOps.check(result, "remove staged file", place.name());
        }
        removed++;
      }
    }
  }

  // ---- contents and attributes

  private WantedFile wanted(FileId id, FileId directory, String name) throws CaptureException {
    FileNode node = target.node(id);
    if (node != null) {
      return WantedFile.of(node);
    }
    String path = id.kind() == FileId.Kind.BASE ? files.basePath(id) : null;
    if (id.isBaseDirectory()) {
      path = id.key();
    } else if (path == null) {
      path = BaseTree.join(directory.key(), name);
    }
    return WantedFile.ofBase(base, path);
  }

  private void restoreFiles() throws CaptureException {
    for (FileId id : touched) {
      FileNode.Link place = splitMade.get(id);
      if (place == null) {
        place = made.contains(id) ? built.get(id) : targetLink(id);
      }
      if (place == null || isDirectory(id)) {
        continue;
      }
      if (hardLinks.contains(
          new Build(
              place.directory(), place.name(), target.resolve(place.directory(), place.name())))) {
        place = Objects.requireNonNull(built.get(id));
      }
      restoreFile(id, place);
    }
  }

  private boolean isDirectory(FileId id) {
    FileNode node = target.node(id) != null ? target.node(id) : live.node(id);
    return id.isBaseDirectory() || id.isRoot() || (node != null && node.isDirectory());
  }

  private void restoreFile(FileId id, FileNode.Link place) throws CaptureException {
    WantedFile wanted = wanted(id, place.directory(), place.name());
    FileNode before = made.contains(id) ? null : live.node(id);
    int dir = world.directory(place.directory());
    unlock(dir, place.name(), id);
    if (wanted.meta().isRegular() && !sameContent(before, wanted)) {
      FileRestorer.Outcome outcome =
          before != null
                  && !leased.isEmpty()
                  && leased.contains(Long.toString(ops.stat(dir, place.name()).inode()))
              ? FileRestorer.Outcome.BUSY
              : restorer.content(dir, place.name(), wanted);
      if (outcome == FileRestorer.Outcome.BUSY) {
        replace(id, place, wanted);
      }
    }
    restorer.attributes(dir, place.name(), wanted.meta(), before);
  }

  private static boolean sameContent(@Nullable FileNode before, WantedFile wanted) {
    return before != null
        && before.content() != FileContent.UNKNOWN
        && before.content() != null
        && before.content() == wanted.content();
  }

  /** Gives all names of a file a new inode with the wanted contents. */
  private void replace(FileId id, FileNode.Link place, WantedFile wanted) throws CaptureException {
    FileId stage = world.stageOf(place.directory());
    int stageDir = world.directory(stage);
    String fresh = staging.nextName();
    ops.make(stageDir, fresh, FileMeta.TYPE_REGULAR | 0600, 0, 0);
    restorer.content(stageDir, fresh, wanted);
    FileNode node = target.node(id);
    List<FileNode.Link> links = node == null ? List.of(place) : node.links();
    for (FileNode.Link link : links) {
      if (id.equals(world.now(link.directory(), link.name()).id())
          && !hardLinks.contains(
              new Build(
                  link.directory(), link.name(), target.resolve(link.directory(), link.name())))) {
        String name = staging.nextName();
        ops.link(stageDir, fresh, stageDir, name);
        ops.rename(stageDir, name, edit(link.directory()), link.name());
        replaced.add(FileOps.readable(world.path(link.directory(), link.name())));
      }
    }
    ops.unlink(stageDir, fresh);
    FileStatus status = upperStatus(place.directory(), place.name());
    files.alias(FileId.upper(status.inode(), status.birth()), id);
    files.putFile(status.inode(), id);
  }

  private void restoreDirectories() throws CaptureException {
    Set<FileId> all = new LinkedHashSet<>(editedDirectories);
    all.addAll(touched);
    for (FileId id : all) {
      if (!isDirectory(id) || !(id.isRoot() || target.hasDirectory(id))) {
        continue;
      }
      FileNode node = target.node(id);
      if (id.equals(FileId.SHARED_ROOT) && places.shared() < 0) {
        continue;
      }
      FileMeta wanted = node != null ? node.meta() : base.meta(id.key());
      restorer.attributes(world.directory(id), ".", wanted, null);
    }
  }

  /** Our own edits copy base directories up; their events are thrown away with the others. */
  private void noteCopiedUp() {
    for (FileId id : Set.copyOf(world.visited())) {
      if (id.isBaseDirectory()) {
        Long inode = world.upperInode(id);
        if (inode != null && !inode.equals(files.directoryInode(id))) {
          files.putDirectory(inode, id, /* merged= */ true);
        }
      }
    }
  }

  @Override
  public void close() {
    world.close();
  }
}
