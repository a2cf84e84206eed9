package io.deltabox.capture;

import io.deltabox.capture.descriptors.DescriptorTable;
import io.deltabox.capture.descriptors.FileKey;
import io.deltabox.capture.descriptors.FileOpener;
import io.deltabox.capture.descriptors.OpenFile;
import io.deltabox.capture.descriptors.SandboxRoot;
import io.deltabox.capture.descriptors.Slot;
import io.deltabox.linux.Errno;
import io.deltabox.linux.ErrnoException;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The shared memory objects of a sandbox during a rollback, each held by one descriptor of ours
 * from before the first edit to the thaw, because the mappings that lead to them come and go. Used
 * on the tracing thread only.
 */
final class SharedObjects implements AutoCloseable {
  private static final String MEMFD = "/memfd:";
  private static final String DELETED = " (deleted)";

  private final Tracer tracer;
  private final Aliases aliases;
  private final SnapshotState wanted;
  private final Map<ObjectId, Integer> files = new HashMap<>();
  private final Set<ObjectId> made = new HashSet<>();

  SharedObjects(Tracer tracer, Aliases aliases, SnapshotState wanted) {
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

  /** How mappings name what fstat(2) names so; makedev(3) for the layout of the device number. */
  private ObjectId identity(FileKey key) {
    long major = (key.dev() >>> 8 & 0xfff) | (key.dev() >>> 32 & ~0xfffL);
    long minor = (key.dev() & 0xff) | (key.dev() >>> 12 & ~0xffL);
    return aliases.original(new ObjectId(major << 32 | minor, key.ino()));
  }

  /** For the descriptors: the same objects under the same identities. */
  FileOpener opener(SandboxRoot root) {
    return new FileOpener() {
      @Override
      public int openPlace(String path) throws IOException {
        return root.openPlace(path);
      }

      @Override
      public OptionalInt find(FileKey key, List<String> near) throws IOException {
        return root.find(key, near);
      }

      @Override
      public int object(FileKey key) {
        return files.getOrDefault(identity(key), -1);
      }

      @Override
      public FileKey original(FileKey key) {
        ObjectId id = identity(key);
        return wanted.objects().containsKey(id) ? new FileKey(id.device(), id.inode()) : key;
      }
    };
  }

  /** Takes hold of what only descriptors lead to any more. */
  void hold(DescriptorTable descriptors, Map<Integer, LiveProcess> living) throws IOException {
    for (OpenFile file : descriptors.files()) {
      if (!file.link().startsWith(MEMFD)) {
        continue;
      }
      ObjectId known = identity(file.key());
      Slot slot = file.slots().first();
      LiveProcess holder = living.get(slot.process());
      if (wanted.objects().containsKey(known) && !files.containsKey(known) && holder != null) {
        int stolen = tracer.calls.dbx_object_steal(holder.pidfd(), slot.number());
        files.put(known, (int) Errno.check(stolen, "borrow shared memory " + slot));
      }
    }
  }

  /**
   * A descriptor of the object a wanted region maps; a new object, if nobody has the old one any
   * more.
   */
  int file(Region region) throws IOException {
    ObjectId id = new ObjectId(region.device(), region.inode());
    Integer known = files.get(id);
    return known != null ? known : make(region, id);
  }

  private int make(Region region, ObjectId id) throws IOException {
    ObjectState content = wanted.objects().get(id);
    if (content == null) {
      throw new CaptureException("snapshot lacks shared memory inode=" + id.inode());
    }
    String name = region.name();
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
      long device = block.slice(0, 16).getLong(0);
      aliases.add(new ObjectId(device, block.slice(0, 16).getLong(8)), id);
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
  }
}
