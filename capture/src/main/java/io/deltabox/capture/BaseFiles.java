package io.deltabox.capture;

import io.deltabox.capture.descriptors.DescriptorTable;
import io.deltabox.capture.descriptors.OpenFile;
import io.deltabox.capture.files.FileLayout;
import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/** The identities of files of the base: read at a checkpoint, compared before a restore. */
final class BaseFiles {
  private static final int RECORD_BYTES = 40;
  private static final String DELETED = " (deleted)";
  private static final List<String> OTHER = List.of("/proc/", "/dev/", "/sys/");

  private BaseFiles() {}

  /**
   * Those that processes have mapped or open, or run.
   *
   * @param own whether a device is one of the sandbox's own file systems, whose files are part of
   *     the snapshot
   * @param files where the sandbox's files are; null: it has none of its own
   */
  static BaseIdentity inUse(
      Tracer tracer,
      int initPid,
      Collection<ProcessState> processes,
      DescriptorTable descriptors,
      LongPredicate own,
      @Nullable FileLayout files)
      throws IOException {
    SortedMap<String, Long> inodes = new TreeMap<>();
    for (ProcessState process : processes) {
      for (Region region : process.regions()) {
        if (!region.anonymous() && !region.is(Region.OBJECT) && !region.is(Region.SPECIAL)) {
          inodes.put(region.name(), region.inode());
        }
      }
    }
    descriptors
        .processes()
        .values()
        .forEach(one -> inodes.put(one.exe().path(), one.exe().key().ino()));
    for (OpenFile file : descriptors.files()) {
      if (file.isRegularFile()) {
        inodes.put(file.link(), file.key().ino());
      }
    }
    inodes.keySet().removeIf(BaseFiles::elsewhere);
    List<BaseFile> found = read(tracer, initPid, List.copyOf(inodes.keySet()), own);
    // One that was replaced meanwhile is found nowhere any more.
    found.replaceAll(
        file -> {
          long used = inodes.getOrDefault(file.path(), file.inode());
          return used == file.inode() ? comparable(file, files) : file.of(used);
        });
    return new BaseIdentity(files == null ? "" : files.baseDigest(), found);
  }

  /** A file of an imported base may be laid out anew before the next look at it. */
  private static BaseFile comparable(BaseFile file, @Nullable FileLayout files) {
    boolean imported =
        files != null
            && !files.baseDigest().isEmpty()
            && files.mounts().stream().noneMatch(mount -> below(mount, file.path()));
    return imported ? file.anywhere() : file;
  }

  private static boolean below(String mount, String path) {
    return path.equals("/" + mount) || path.startsWith("/" + mount + "/");
  }

  private static boolean elsewhere(String path) {
    return !path.startsWith("/")
        || path.endsWith(DELETED)
        || OTHER.stream().anyMatch(path::startsWith);
  }

  private static List<BaseFile> read(
      Tracer tracer, int initPid, List<String> paths, LongPredicate own) throws IOException {
    List<BaseFile> found = new ArrayList<>();
    if (paths.isEmpty()) {
      return found;
    }
    ByteArrayOutputStream names = new ByteArrayOutputStream();
    for (String path : paths) {
      names.writeBytes((path + "\0").getBytes(StandardCharsets.ISO_8859_1));
    }
    int bytes = RECORD_BYTES * paths.size();
    try (Memory block = Memory.allocate(bytes + names.size(), Memory.Touch.NOW)) {
      block.slice(bytes, names.size()).put(names.toByteArray());
      Errno.check(
          tracer.calls.dbx_file_identities(
              initPid, block.address() + bytes, paths.size(), block.address()),
          "look at files of the base");
      ByteBuffer in = block.slice(0, bytes);
      for (String path : paths) {
        long device = in.getLong();
        BaseFile file = new BaseFile(path, in.getLong(), in.getLong(), in.getLong(), in.getLong());
        if (!own.test(device)) {
          found.add(file);
        }
      }
    }
    return found;
  }

  /**
   * Refuses what was made over other files than there are.
   *
   * @param tried for the message
   */
  static void check(
      String tried, Tracer tracer, int initPid, BaseIdentity base, @Nullable FileLayout files)
      throws IOException {
    String digest = files == null ? "" : files.baseDigest();
    if (!digest.equals(base.digest())) {
      throw new CaptureException(
          tried
              + " refused, nothing was made: the snapshot was made over another base: found="
              + (digest.isEmpty() ? "none" : digest)
              + " expected="
              + (base.digest().isEmpty() ? "none" : base.digest()));
    }
    List<BaseFile> wanted = base.files();
    List<String> paths = wanted.stream().map(BaseFile::path).toList();
    List<BaseFile> found = new ArrayList<>(read(tracer, initPid, paths, device -> false));
    found.replaceAll(file -> comparable(file, files));
    for (int i = 0; i < wanted.size(); i++) {
      if (!found.get(i).equals(wanted.get(i))) {
        throw new CaptureException(
            tried
                + " refused, nothing was made: a file of the base that its processes use is not the"
                + " one of the snapshot; put that back, or go back in the sandbox the snapshot was"
                + " made in: path="
                + wanted.get(i).path()
                + " found="
                + found.get(i).identity()
                + " expected="
                + wanted.get(i).identity());
      }
    }
  }
}
