package io.deltabox.capture;

import io.deltabox.capture.descriptors.DescriptorTable;
import io.deltabox.capture.descriptors.FileKey;
import io.deltabox.capture.descriptors.OpenFile;
import io.deltabox.capture.descriptors.OtherName;
import io.deltabox.capture.descriptors.SandboxRoot;
import io.deltabox.capture.descriptors.Slot;
import io.deltabox.linux.Errno;
import io.deltabox.linux.ErrnoException;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The shared memory objects and mapped files without a name during a rollback, each held by one
 * descriptor of ours from before the first edit to the thaw, because the mappings that lead to them
 * come and go. Used on the tracing thread only.
 */
final class SharedObjects implements AutoCloseable {
  private static final String MEMFD = "/memfd:";
  private static final String DELETED = " (deleted)";

  private final Tracer tracer;
  private final Aliases aliases;
  private final SnapshotState wanted;
  private final SandboxRoot root;
  private final FilesPart base;
  private final Map<ObjectId, Integer> files = new HashMap<>();
  private final Map<ObjectId, Integer> readers = new HashMap<>();
  private final List<Integer> others = new ArrayList<>();
  private final Set<ObjectId> made = new HashSet<>();

  SharedObjects(
      Tracer tracer, Aliases aliases, SnapshotState wanted, SandboxRoot root, FilesPart base) {
    this.root = root;
    this.base = base;
    this.tracer = tracer;
    this.aliases = aliases;
    this.wanted = wanted;
  }

  /** Takes hold of what a process maps, also one that is about to be ended: it may be the last. */
  void hold(int pid, List<Region> regions) throws IOException {
    for (Region region : regions) {
      ObjectId id = new ObjectId(region.device(), region.inode());
      if (region.is(Region.OBJECT) && wanted.objects().containsKey(id) && !files.containsKey(id)) {
        int file = tracer.calls.dbx_object_open(pid, region.start(), region.end());
        files.put(id, (int) Errno.check(file, "open shared memory host_pid=" + pid));
      }
    }
  }

  private ObjectId identity(FileKey key) {
    return aliases.original(Aliases.identity(key));
  }

  /**
   * Opens, to map it as the region wants it, a file whose name was gone while it is found
   * otherwise; null if it is not.
   */
  @Nullable Integer removedFile(Region region) throws IOException {
    OtherName name = wanted.descriptors().otherName(region.key());
    if (name == null) {
      return null;
    }
    if (name.place() == OtherName.Place.SANDBOX) {
      boolean write = region.is(Region.SHARED) && region.mayWrite();
      int file = root.openGone(name.path(), write ? Sys.O_RDWR : Sys.O_RDONLY);
      others.add(file);
      return file;
    }
    int file = baseCopy(region.key(), name.path(), region.name());
    return forRegion(identity(region.key()), region, file);
  }

  /** The object a snapshot knows under this identity, borrowed; -1 if mappings did not need it. */
  int object(FileKey key) {
    return files.getOrDefault(identity(key), -1);
  }

  /** The identity a snapshot knows an object under that a rollback has made again. */
  FileKey original(FileKey key) {
    ObjectId id = identity(key);
    return wanted.objects().containsKey(id) ? new FileKey(id.device(), id.inode()) : key;
  }

  /** Takes hold of what only descriptors lead to any more. */
  void hold(DescriptorTable descriptors, Map<Integer, LiveProcess> living) throws IOException {
    for (OpenFile file : descriptors.files()) {
      if (!file.isRegularFile()) {
        continue;
      }
      ObjectId known = identity(file.key());
      if (!wanted.objects().containsKey(known) || files.containsKey(known)) {
        continue;
      }
      // Any of its holders will do; the first may be about to be ended or made again.
      for (Slot slot : file.slots()) {
        LiveProcess holder = living.get(slot.process());
        if (holder != null) {
          files.put(known, borrow(holder, slot));
          break;
        }
      }
    }
  }

  private int borrow(LiveProcess holder, Slot slot) throws IOException {
    int stolen = tracer.calls.dbx_object_steal(holder.pidfd(), slot.number());
    Errno.check(stolen, "borrow a file without a name " + slot);
    int again = tracer.calls.dbx_object_again(stolen, /* writable= */ 1);
    tracer.calls.dbx_object_close(stolen);
    return (int) Errno.check(again, "open a file without a name " + slot);
  }

  /**
   * A descriptor of the object a wanted region maps; a new object, if nobody has the old one any
   * more. It can be written through unless the mapping must not become writable.
   */
  int file(Region region) throws IOException {
    ObjectId id = new ObjectId(region.device(), region.inode());
    Integer known = files.get(id);
    return forRegion(id, region, known != null ? known : make(region, id));
  }

  private int forRegion(ObjectId id, Region region, int file) throws IOException {
    if (!isRemovedFile(region) || !region.is(Region.SHARED) || region.mayWrite()) {
      return file;
    }
    Integer reader = readers.get(id);
    if (reader == null) {
      int again = tracer.calls.dbx_object_again(file, /* writable= */ 0);
      reader = (int) Errno.check(again, "open a file without a name " + region.name());
      readers.put(id, reader);
    }
    return reader;
  }

  private static boolean isRemovedFile(Region region) {
    String name = region.name();
    return !name.startsWith(MEMFD) && !name.startsWith("/SYSV") && !name.startsWith("/dev/zero");
  }

  /** A file without a name that has the content of a file of the base, one for each identity. */
  int baseCopy(FileKey key, String path, String gone) throws IOException {
    ObjectId id = identity(key);
    Integer known = files.get(id);
    if (known != null) {
      return known;
    }
    int source = base.openBase(path);
    try {
      int file = root.makeNamelessCopy(gone, source);
      files.put(id, file);
      return file;
    } finally {
      tracer.calls.dbx_object_close(source);
    }
  }

  private int make(Region region, ObjectId id) throws IOException {
    ObjectState content = wanted.objects().get(id);
    if (content == null) {
      throw new CaptureException("snapshot lacks shared memory inode=" + id.inode());
    }
    String name = region.name();
    if (isRemovedFile(region)) {
      int file = root.makeNameless(name);
      files.put(id, file);
      made.add(id);
      aliases.add(Aliases.identity(root.key(file)), id);
      return file;
    }
    byte[] label = new byte[0];
    if (name.startsWith(MEMFD)) {
      int end = name.endsWith(DELETED) ? name.length() - DELETED.length() : name.length();
      label = name.substring(MEMFD.length(), end).getBytes(StandardCharsets.ISO_8859_1);
    }
    try (Memory block = Memory.allocate(4096, Memory.Touch.NOW)) {
      block.slice(16, 4080).put(label);
      long labelAddress = name.startsWith(MEMFD) ? block.address() + 16 : 0;
      int file = tracer.calls.dbx_object_make(labelAddress, content.size(), block.address());
      if (file < 0) {
        throw new ErrnoException(-file, "make shared memory name=" + name);
      }
      files.put(id, file);
      made.add(id);
      ByteBuffer found = block.slice(0, 16);
      long device = tracer.devices().marked(found.getInt(4), found.getInt(0));
      aliases.add(new ObjectId(device, found.getLong(8)), id);
      return file;
    }
  }

  /** Writes the wanted content of every object, where it differs from what the freeze read. */
  void fill(List<WindowRecords.ObjectBlock> found, PageStore store, MemoryWork work)
      throws IOException {
    Map<ObjectId, WindowRecords.ObjectBlock> now = new HashMap<>();
    found.forEach(block -> now.put(block.id(), block));
    for (Map.Entry<ObjectId, Integer> held : files.entrySet()) {
      ObjectState content = wanted.objects().get(held.getKey());
      if (content != null) {
        int result =
            new ObjectFill(tracer, held.getValue(), content, store)
                .run(made.contains(held.getKey()) ? null : now.get(held.getKey()));
        Errno.check(result, "write shared memory inode=" + held.getKey().inode());
        work.set(held.getKey(), content);
      }
    }
  }

  @Override
  public void close() {
    files.values().forEach(tracer.calls::dbx_object_close);
    files.clear();
    readers.values().forEach(tracer.calls::dbx_object_close);
    readers.clear();
    others.forEach(tracer.calls::dbx_object_close);
    others.clear();
  }
}
