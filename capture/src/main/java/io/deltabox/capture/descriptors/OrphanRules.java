package io.deltabox.capture.descriptors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Files without a name and memfds: their content travels with the descriptors. */
final class OrphanRules implements KindRules {
  private static final int PUNCH_HOLE_KEEP_SIZE = 3;
  private static final int MFD_ALLOW_SEALING = 2;
  private static final String MEMFD_PREFIX = "/memfd:";

  /** What is left of O_TMPFILE without O_DIRECTORY. */
  private static final int TEMPORARY = 020000000;

  private final Set<FileKey> written = new HashSet<>();
  private final Map<FileKey, Integer> made = new HashMap<>();
  private final Set<Integer> given = new HashSet<>();

  @Override
  public boolean same(OpenFile current, OpenFile target, Run run) {
    return sameObject(current, target, run)
        && KindRules.sameMode(current, target)
        && (current.status().seals() & ~target.status().seals()) == 0;
  }

  private static boolean sameObject(OpenFile current, OpenFile target, Run run) {
    FileOpener files = run.files();
    return files.original(current.key()).equals(files.original(target.key()));
  }

  @Override
  public boolean differs(OpenFile current, OpenFile target, Run run) {
    return KindRules.flagsDiffer(current, target)
        || current.status().position() != target.status().position()
        || current.status().seals() != target.status().seals()
        || !current.status().attributes().equals(target.status().attributes())
        // its content may have been put back with the mappings, which leaves the time of that
        || run.files().object(target.key()) >= 0
        || contentDiffers(current, target, run);
  }

  private boolean contentDiffers(OpenFile current, OpenFile target, Run run) {
    FileContent now = run.current().contents().orphans().get(current.key());
    FileContent wanted = run.target().contents().orphans().get(target.key());
    return current.status().size() != target.status().size()
        || (now == null) != (wanted == null)
        || (now != null && !now.equals(wanted))
        || current.kind() == FileKind.REGULAR;
  }

  @Override
  public void edit(int fd, OpenFile current, OpenFile target, Run run) throws IOException {
    KindRules.setFlags(fd, current, target, run);
    if (contentDiffers(current, target, run) && written.add(target.key())) {
      int writer = run.own(run.kernel().reopen(fd, Flags.O_RDWR | Flags.O_NONBLOCK));
      writeContent(writer, target, run);
    }
    if (current.status().seals() != target.status().seals()) {
      seal(fd, target, run);
    }
    run.kernel().setAttributes(fd, target.status().attributes());
    run.kernel().seek(fd, target.status().position());
  }

  @Override
  public int make(OpenFile target, Run run) throws IOException {
    int fd = origin(target, run);
    if (isFirst(fd, target, run)) {
      run.kernel().setFlags(fd, target.status().flags());
      run.kernel().seek(fd, target.status().position());
      return fd;
    }
    int flags = target.status().flags() & ~(Flags.O_ASYNC | Flags.O_NOFOLLOW | Flags.O_TMPFILE);
    int own = run.own(run.kernel().reopen(fd, flags));
    run.kernel().seek(own, target.status().position());
    return own;
  }

  /**
   * Whether a descriptor of ours is the description the file was made with, which no later one is
   * like.
   */
  private boolean isFirst(int fd, OpenFile target, Run run) throws IOException {
    if (target.accessMode() != Flags.O_RDWR) {
      return false;
    }
    boolean temporary = (target.status().flags() & TEMPORARY) != 0;
    int found = (int) run.kernel().check("flags of a file", Calls.FCNTL, fd, Calls.F_GETFL, 0, 0);
    return target.kind() == FileKind.MEMFD
        ? given.add(fd)
        : temporary && (found & TEMPORARY) != 0 && given.add(fd);
  }

  /** A descriptor of the same file if something still holds it, else of a new one. */
  private int origin(OpenFile target, Run run) throws IOException {
    Integer first = made.get(target.key());
    if (first != null) {
      return first;
    }
    for (OpenFile other : run.target().files()) {
      Integer held = run.held(other);
      if (held != null && other.key().equals(target.key())) {
        return held;
      }
    }
    for (OpenFile other : run.current().files()) {
      if (sameObject(other, target, run)) {
        int fd = run.own(run.kernel().reopen(run.steal(other), Flags.O_RDWR));
        if (written.add(target.key())) {
          writeContent(fd, target, run);
        }
        return fd;
      }
    }
    Integer place = run.removedFiles().opened(target.key());
    Integer mapped = place != null ? null : MappedFiles.open(run, target.key());
    int fd =
        place != null
            ? run.own(run.kernel().reopen(place, Flags.O_RDWR))
            : mapped != null ? mapped : create(target, run);
    made.put(target.key(), fd);
    written.add(target.key());
    writeContent(fd, target, run);
    if (target.kind() == FileKind.MEMFD) {
      seal(fd, target, run);
    }
    return fd;
  }

  private static int create(OpenFile target, Run run) throws IOException {
    int known = run.files().object(target.key());
    if (known >= 0) {
      boolean memfd = target.kind() == FileKind.MEMFD;
      return run.own(memfd ? run.kernel().reopen(known, Flags.O_RDWR) : run.kernel().copy(known));
    }
    if (target.kind() == FileKind.MEMFD) {
      String name = FileOpener.withoutMark(target.link()).substring(MEMFD_PREFIX.length());
      return run.own(run.kernel().memfd(name, MFD_ALLOW_SEALING));
    }
    return run.own(run.files().makeNameless(target.link()));
  }

  private static void writeContent(int fd, OpenFile target, Run run) throws IOException {
    writeBytes(fd, target, run);
    run.kernel().setAttributes(fd, target.status().attributes());
  }

  private static void writeBytes(int fd, OpenFile target, Run run) throws IOException {
    FileContent content = run.target().contents().orphans().get(target.key());
    List<FileContent.Extent> extents = content == null ? List.of() : content.extents();
    Kernel kernel = run.kernel();
    long size = target.status().size();
    if (kernel.stat(fd).size() != size) {
      kernel.check("ftruncate", Calls.FTRUNCATE, fd, size, 0, 0);
    }
    long end = 0;
    for (FileContent.Extent extent : extents) {
      punch(kernel, fd, end, extent.offset());
      ByteBuffer bytes = extent.bytes();
      kernel.write(fd, bytes, extent.offset());
      end = extent.offset() + bytes.remaining();
    }
    punch(kernel, fd, end, size);
  }

  /**
   * Truncating instead would also drop private copies that a mapping of the file has made, behind
   * the back of the part that puts memory back.
   */
  private static void punch(Kernel kernel, int fd, long from, long to) throws IOException {
    if (to > from) {
      kernel.check("punch hole", Calls.FALLOCATE, fd, PUNCH_HOLE_KEEP_SIZE, from, to - from);
    }
  }

  private static void seal(int fd, OpenFile target, Run run) throws IOException {
    Kernel kernel = run.kernel();
    long have = kernel.check("seals of a memfd", Calls.FCNTL, fd, Calls.F_GET_SEALS, 0, 0);
    long missing = target.status().seals() & ~have;
    if (missing != 0) {
      kernel.check("seal memfd", Calls.FCNTL, fd, Calls.F_ADD_SEALS, missing, 0);
    }
  }
}
