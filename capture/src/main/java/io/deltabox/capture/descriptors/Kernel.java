package io.deltabox.capture.descriptors;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import io.deltabox.linux.NativeLibrary;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * System calls of the daemon on descriptors, with a buffer of its own. Not thread-safe. A
 * descriptor that a method returns belongs to the caller.
 */
final class Kernel implements AutoCloseable {
  /** Bytes one call can move. */
  static final int BUFFER = 1 << 18;

  private static final int ADDRESS_MAX = 128;
  private static final int AT_REMOVEDIR = 0x200;
  private static final int AT_FDCWD = -100;
  private static final long RESOLVE_NO_MAGICLINKS = 2;
  private static final long RESOLVE_IN_ROOT = 16;
  private static final int OPEN_HOW = 24;
  private static final int STAT = 80;

  private static final class Holder {
    static final FdsFunctions FUNCTIONS = NativeLibrary.bind(FdsFunctions.class);
  }

  private final Memory memory;

  private final Devices devices;

  /**
   * @param devices of the container whose descriptors are looked at
   */
  Kernel(Devices devices) throws IOException {
    this.devices = devices;
    memory = Memory.allocate(BUFFER, Memory.Touch.LATER);
  }

  /** The numbers it tells files by. */
  Devices devices() {
    return devices;
  }

  static FdsFunctions functions() {
    return Holder.FUNCTIONS;
  }

  /** What fstat says. */
  record Stat(
      FileKey key, long rdev, long size, int mode, int nlink, int uid, int gid, Times times) {
    OpenFile.Attributes attributes() {
      return new OpenFile.Attributes(mode, uid, gid, times.writtenSeconds(), times.writtenNanos());
    }
  }

  /** When a file was read and written last: seconds and nanoseconds. */
  record Times(long readSeconds, long readNanos, long writtenSeconds, long writtenNanos) {}

  /** Result or negated error number. */
  long call(int number, long a, long b, long c, long d) {
    return functions().dbx_fds_call(number, a, b, c, d);
  }

  long check(String tried, int number, long a, long b, long c, long d) throws IOException {
    return Errno.check(call(number, a, b, c, d), tried);
  }

  /** Address of the buffer. */
  long address() {
    return memory.address();
  }

  /** A view of the first bytes of the buffer. */
  ByteBuffer buffer(int length) {
    return memory.slice(0, length);
  }

  private long text(int offset, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    memory.slice(offset, bytes.length + 1).put(bytes).put((byte) 0);
    return memory.address() + offset;
  }

  int open(String path, int flags, int mode) throws IOException {
    return open2(AT_FDCWD, path, flags, mode, 0);
  }

  int openBelow(int root, String path, int flags) throws IOException {
    return open2(root, path, flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  }

  private int open2(int directory, String path, int flags, int mode, long resolve)
      throws IOException {
    memory.slice(0, OPEN_HOW).putLong(flags | Flags.O_CLOEXEC).putLong(mode).putLong(resolve);
    long name = text(OPEN_HOW, path);
    return (int) check("open " + path, Calls.OPENAT2, directory, name, memory.address(), OPEN_HOW);
  }

  /** Opens what a descriptor of the daemon leads to once more: a new open file description. */
  int reopen(int fd, int flags) throws IOException {
    return open("/proc/self/fd/" + fd, flags, 0);
  }

  /** One more descriptor of the same open file description. */
  int copy(int fd) throws IOException {
    return (int) check("copy a descriptor", Calls.FCNTL, fd, Calls.F_DUPFD_CLOEXEC, 0, 0);
  }

  int memfd(String name, int flags) throws IOException {
    return (int) check("memfd_create " + name, Calls.MEMFD_CREATE, text(0, name), flags | 1, 0, 0);
  }

  int steal(int pidfd, int number) throws IOException {
    return (int) check("borrow descriptor " + number, Calls.PIDFD_GETFD, pidfd, number, 0, 0);
  }

  void closeQuietly(int fd) {
    call(Calls.CLOSE, fd, 0, 0, 0);
  }

  Stat stat(int fd) throws IOException {
    Errno.check(functions().dbx_fds_stat(fd, memory.address()), "fstat");
    ByteBuffer in = memory.slice(0, STAT);
    FileKey key = new FileKey(devices.marked(in.getLong()), in.getLong());
    long rdev = in.getLong();
    long size = in.getLong();
    int mode = in.getInt();
    int nlink = in.getInt();
    int uid = in.getInt();
    int gid = in.getInt();
    Times times = new Times(in.getLong(), in.getLong(), in.getLong(), in.getLong());
    return new Stat(key, rdev, size, mode, nlink, uid, gid, times);
  }

  /**
   * An empty directory without a name: made in a directory, opened, removed; the times of the
   * directory it was made in are put back.
   */
  int removedDirectory(int parent, int mode) throws IOException {
    Times times = stat(parent).times();
    final String name = ".deltabox-removed";
    check("make directory", Calls.MKDIRAT, parent, text(0, name), 0700, 0);
    int made;
    try {
      made = open2(parent, name, Flags.O_PATH | Flags.O_DIRECTORY | Flags.O_NOFOLLOW, 0, 0);
    } finally {
      check("remove directory", Calls.UNLINKAT, parent, text(0, name), AT_REMOVEDIR, 0);
    }
    check("set mode", Calls.CHMOD, text(0, "/proc/self/fd/" + made), mode & 07777, 0, 0);
    setTimes(parent, times);
    return made;
  }

  /**
   * Opens a file under a second name and takes that away; the times of the directory are put back.
   */
  int openGone(int directory, String name, int flags) throws IOException {
    Times times = stat(directory).times();
    final String second = ".deltabox-removed";
    long from = text(0, name);
    long to = text(4096, second);
    int linked = functions().dbx_fds_link(directory, from, to);
    Errno.check(linked, "link " + name);
    try {
      return open2(directory, second, flags | Flags.O_NOFOLLOW, 0, 0);
    } finally {
      check("remove link", Calls.UNLINKAT, directory, text(0, second), 0, 0);
      setTimes(directory, times);
    }
  }

  /** What a descriptor of a stopped process leads to now. */
  String link(int pid, int number) throws IOException {
    long path = text(4096, "/proc/" + pid + "/fd/" + number);
    long length = check("read link", Calls.READLINKAT, AT_FDCWD, path, memory.address(), 4096);
    byte[] bytes = new byte[(int) length];
    memory.slice(0, bytes.length).get(bytes);
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /** Sets the times of a place opened with O_PATH. */
  void setTimes(int place, Times times) throws IOException {
    memory
        .slice(0, 32)
        .putLong(times.readSeconds())
        .putLong(times.readNanos())
        .putLong(times.writtenSeconds())
        .putLong(times.writtenNanos());
    long path = text(32, "/proc/self/fd/" + place);
    check("set times", Calls.UTIMENSAT, AT_FDCWD, path, memory.address(), 0);
  }

  /**
   * Makes mode, owner and time of the last change of a file those wanted; the owner first, because
   * a change of it takes set-user-id away.
   */
  void setAttributes(int fd, OpenFile.Attributes wanted) throws IOException {
    Stat now = stat(fd);
    boolean owned = now.uid() == wanted.uid() && now.gid() == wanted.gid();
    if (!owned) {
      check("change owner", Calls.FCHOWN, fd, wanted.uid(), wanted.gid(), 0);
    }
    if (!owned || now.mode() != wanted.mode()) {
      check("set mode", Calls.FCHMOD, fd, wanted.mode() & 07777, 0, 0);
    }
    Times times = now.times();
    if (!owned
        || times.writtenSeconds() != wanted.writtenSeconds()
        || times.writtenNanos() != wanted.writtenNanos()) {
      setTimes(
          fd,
          new Times(
              times.readSeconds(),
              times.readNanos(),
              wanted.writtenSeconds(),
              wanted.writtenNanos()));
    }
  }

  void seek(int fd, long position) throws IOException {
    check("lseek " + position, Calls.LSEEK, fd, position, 0, 0);
  }

  void setFlags(int fd, int flags) throws IOException {
    check("fcntl F_SETFL", Calls.FCNTL, fd, Calls.F_SETFL, flags & Flags.SETTABLE, 0);
  }

  /** Writes all of it. */
  void write(int fd, ByteBuffer data) throws IOException {
    ByteBuffer left = data.duplicate();
    while (left.hasRemaining()) {
      int length = Math.min(left.remaining(), BUFFER);
      memory.slice(0, length).put(left.slice(left.position(), length));
      long done = check("write", Calls.WRITE, fd, memory.address(), length, 0);
      left.position(left.position() + (int) done);
    }
  }

  /** Appends all that is left to read of one file to another. */
  void copy(int from, int to) throws IOException {
    while (check("copy content", Calls.SENDFILE, to, from, 0, 1L << 30) > 0) {}
  }

  /** Writes all of it at an offset. */
  void write(int fd, ByteBuffer data, long offset) throws IOException {
    ByteBuffer left = data.duplicate();
    long at = offset;
    while (left.hasRemaining()) {
      int length = Math.min(left.remaining(), BUFFER);
      memory.slice(0, length).put(left.slice(left.position(), length));
      long done = check("write", Calls.PWRITE, fd, memory.address(), length, at);
      left.position(left.position() + (int) done);
      at += done;
    }
  }

  /** Reads into the buffer until the descriptor, which must not block, has nothing more. */
  void drain(int fd) throws IOException {
    long size;
    do {
      size = call(Calls.READ, fd, memory.address(), BUFFER, 0);
    } while (size > 0);
    if (size < 0 && size != -Errno.EAGAIN) {
      Errno.check(size, "drain");
    }
  }

  /** Two descriptors a call left in the buffer. */
  int[] pair(String tried, int number, int flags) throws IOException {
    check(tried, number, memory.address(), flags | Flags.O_CLOEXEC, 0, 0);
    ByteBuffer in = memory.slice(0, 8);
    return new int[] {in.getInt(), in.getInt()};
  }

  void send(int socket, List<Integer> fds) throws IOException {
    ByteBuffer out = memory.slice(0, 4 * fds.size());
    fds.forEach(out::putInt);
    Errno.check(functions().dbx_fds_send(socket, memory.address(), fds.size()), "pass descriptors");
  }

  void setOption(int socket, int level, int name, int value) throws IOException {
    Errno.check(
        functions().dbx_fds_set_option(socket, level, name, value),
        "set socket option level=" + level + " name=" + name);
  }

  /** Sets a socket option from the first bytes of the buffer. */
  void setOptionFromBuffer(int socket, int level, int name, int length) throws IOException {
    Errno.check(
        functions().dbx_fds_set_option_data(socket, level, name, memory.address(), length),
        "set socket option level=" + level + " name=" + name);
  }

  /** Calls bind, connect or another call that takes a socket address. */
  void address(String tried, int number, int socket, ByteBuffer address) throws IOException {
    memory.slice(0, address.remaining()).put(address.duplicate());
    check(tried, number, socket, memory.address(), address.remaining(), 0);
  }

  /** Ends what is left of a TCP connection in the network of a process. */
  void destroy(int pid, ByteBuffer local, ByteBuffer remote) throws IOException {
    memory.slice(0, local.remaining()).put(local.duplicate());
    memory.slice(ADDRESS_MAX, remote.remaining()).put(remote.duplicate());
    long address = memory.address();
    int result = functions().dbx_fds_destroy(pid, address, address + ADDRESS_MAX);
    if (result != -Errno.ENOENT) {
      Errno.check(result, "end the rest of a connection");
    }
  }

  /** Sends one message, or all bytes of a stream. */
  void push(int socket, ByteBuffer data) throws IOException {
    ByteBuffer left = data.duplicate();
    do {
      int length = Math.min(left.remaining(), BUFFER);
      memory.slice(0, length == 0 ? 1 : length).put(left.slice(left.position(), length));
      long sent = functions().dbx_fds_push(socket, memory.address(), length);
      Errno.check(sent, "send to a socket");
      left.position(left.position() + (int) sent);
    } while (left.hasRemaining());
  }

  /** Drops all that is queued in a socket. */
  void drainSocket(int socket) throws IOException {
    Errno.check(functions().dbx_fds_drain(socket, memory.address(), BUFFER), "drain a socket");
  }

  @Override
  public void close() {
    memory.close();
  }
}
