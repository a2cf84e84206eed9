package io.deltabox.capture.descriptors;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Builds a {@link DescriptorTable} from the records of {@code fds.h}. Not thread-safe; used once.
 */
public final class TableReader {
  /** First kind of the descriptors part. */
  public static final int KIND_FIRST = 0x200;

  /** Last kind, inclusive. */
  public static final int KIND_LAST = 0x2ff;

  private static final int HEADER = 16;
  private static final int PLACE = 24;

  private final Devices devices;
  private final List<ProcessFiles> processes = new ArrayList<>();
  private final List<RawDescriptor> descriptors = new ArrayList<>();
  private final Map<FileKey, PipeContent> pipes = new HashMap<>();
  private final Map<FileKey, List<FileContent.Extent>> orphans = new LinkedHashMap<>();
  private final Map<Long, SocketState> sockets = new HashMap<>();
  private final Map<Long, List<ByteBuffer>> messages = new HashMap<>();
  private final Map<Long, UnixState> unix = new HashMap<>();
  private final Map<Integer, TerminalState> terminals = new HashMap<>();
  private final List<Trouble> troubles = new ArrayList<>();

  private record RawDescriptor(
      int pid, int number, int file, OpenFile.Status status, String link, StringBuilder info) {}

  /**
   * @param devices of the container that was read
   */
  TableReader(Devices devices) {
    this.devices = devices;
  }

  private FileKey key(ByteBuffer body) {
    return new FileKey(devices.marked(body.getLong()), body.getLong());
  }

  /** Takes every record of a buffer that belongs to this part. */
  public void acceptAll(ByteBuffer records) {
    ByteBuffer in = records.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    while (in.remaining() >= HEADER) {
      int kind = in.getInt();
      in.getInt();
      long length = in.getLong();
      if (length < 0 || length > in.remaining()) {
        throw new IllegalArgumentException(
            "record is longer than its buffer: kind=" + kind + " length=" + length);
      }
      ByteBuffer body = in.slice(in.position(), (int) length);
      accept(kind, body);
      in.position((int) Math.min(in.limit(), in.position() + ((length + 7) & ~7L)));
    }
  }

  /** Takes one record; one of another part is ignored. The body is not kept. */
  public void accept(int kind, ByteBuffer record) {
    ByteBuffer body = record.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    switch (kind - KIND_FIRST) {
      case 0 -> process(body);
      case 1 -> descriptor(body);
      case 2 -> moreInfo(body);
      case 3 -> pipe(body);
      case 4 -> content(body);
      case 5 -> sockets.put(body.getLong(0), SocketReader.socket(body));
      case 6 -> {
        long ino = body.getLong();
        messages
            .computeIfAbsent(ino, unused -> new ArrayList<>())
            .add(copy(body, (int) body.getLong()));
      }
      case 7 -> unix.put(body.getInt(0) & 0xffffffffL, SocketReader.unix(body));
      case 8 -> terminal(body);
      case 9 ->
          troubles.add(new Trouble(body.getInt(), body.getInt(), body.getInt(), body.getInt()));
      default -> {}
    }
  }

  private void process(ByteBuffer body) {
    int pid = body.getInt();
    int inner = body.getInt();
    int group = body.getInt();
    int session = body.getInt();
    int umask = body.getInt();
    ProcessFiles.Ids ids = new ProcessFiles.Ids(pid, inner, group, session, body.getInt());
    ProcessFiles.Clocks clocks =
        new ProcessFiles.Clocks(body.getLong(), body.getLong(), body.getLong());
    long[] sets = {body.getLong(), body.getLong(), body.getLong(), body.getLong(), body.getLong()};
    int filters = body.getInt();
    int groupsLength = body.getInt();
    ByteBuffer text = body.slice(body.position() + 3 * PLACE, body.remaining() - 3 * PLACE);
    ProcessFiles.Places places =
        new ProcessFiles.Places(place(body, text), place(body, text), place(body, text), umask);
    Rights rights =
        new Rights(
            sets[0],
            sets[1],
            sets[2],
            sets[3],
            sets[4],
            filters,
            string(text, groupsLength).trim());
    processes.add(new ProcessFiles(ids, places, clocks, rights));
  }

  private Place place(ByteBuffer body, ByteBuffer text) {
    FileKey key = key(body);
    int mode = body.getInt();
    return new Place(string(text, body.getInt()), key, mode);
  }

  private void descriptor(ByteBuffer body) {
    int pid = body.getInt();
    int number = body.getInt();
    int file = body.getInt();
    int flags = body.getInt();
    long position = body.getLong();
    long dev = devices.marked(body.getLong());
    long ino = body.getLong();
    long rdev = body.getLong();
    long size = body.getLong();
    int mode = body.getInt();
    int nlink = body.getInt();
    body.getInt();
    int linkLength = body.getInt();
    int infoLength = body.getInt();
    int seals = body.getInt();
    long readNanos = body.getLong();
    OpenFile.Attributes attributes =
        new OpenFile.Attributes(mode, body.getInt(), body.getInt(), body.getLong(), body.getLong());
    String link = string(body, linkLength);
    StringBuilder info = new StringBuilder(string(body, infoLength));
    OpenFile.Status status =
        new OpenFile.Status(
            dev, ino, rdev, size, position, attributes, nlink, flags, seals, readNanos);
    descriptors.add(new RawDescriptor(pid, number, file, status, link, info));
  }

  private void moreInfo(ByteBuffer body) {
    int pid = body.getInt();
    int number = body.getInt();
    RawDescriptor last = descriptors.isEmpty() ? null : descriptors.get(descriptors.size() - 1);
    if (last == null || last.pid() != pid || last.number() != number) {
      throw new IllegalArgumentException(
          "fdinfo without its descriptor: pid=" + pid + " fd=" + number);
    }
    last.info().append(string(body, body.remaining()));
  }

  private void pipe(ByteBuffer body) {
    FileKey key = key(body);
    int capacity = body.getInt();
    int events = body.getInt();
    int bytes = body.getInt();
    body.getInt();
    boolean readable = body.getInt() == 0;
    body.getInt();
    List<ByteBuffer> packets = new ArrayList<>();
    int end = body.position() + bytes;
    while (body.position() < end) {
      packets.add(copy(body, body.getInt()));
    }
    PipeContent seen = pipes.get(key);
    if (readable || seen == null) {
      pipes.put(key, new PipeContent(capacity, events, packets, readable));
    }
  }

  private void content(ByteBuffer body) {
    FileKey key = key(body);
    long offset = body.getLong();
    int bytes = (int) body.getLong();
    orphans
        .computeIfAbsent(key, unused -> new ArrayList<>())
        .add(new FileContent.Extent(offset, copy(body, bytes)));
  }

  private void terminal(ByteBuffer body) {
    TerminalState seen = TerminalState.read(body);
    terminals.merge(seen.index(), seen, TerminalState::merge);
  }

  private Map<Long, SocketState> socketsWithQueues() {
    Map<Long, SocketState> whole = new HashMap<>();
    sockets.forEach(
        (ino, socket) ->
            whole.put(ino, socket.with(messages.getOrDefault(ino, List.of()), unix.get(ino))));
    return whole;
  }

  /** The table of everything accepted. */
  DescriptorTable finish(TableImage image) {
    SortedMap<Integer, ProcessFiles> byNumber = new TreeMap<>();
    Map<Integer, ProcessFiles> byPid = new HashMap<>();
    for (ProcessFiles process : processes) {
      byNumber.put(process.process(), process);
      byPid.put(process.ids().pid(), process);
    }
    Map<Integer, OpenFile> files = new HashMap<>();
    int unshared = -1;
    for (RawDescriptor raw : descriptors) {
      int id = raw.file() == 0 ? unshared-- : raw.file();
      add(raw, byPid, files.computeIfAbsent(id, unused -> open(raw)));
    }
    Map<FileKey, FileContent> contents = new HashMap<>();
    orphans.forEach((key, extents) -> contents.put(key, new FileContent(extents)));
    return new DescriptorTable(
        byNumber,
        new DescriptorTable.Contents(pipes, contents, socketsWithQueues(), terminals, troubles),
        image);
  }

  private static void add(RawDescriptor raw, Map<Integer, ProcessFiles> byPid, OpenFile file) {
    ProcessFiles process = byPid.get(raw.pid());
    if (process == null) {
      throw new IllegalArgumentException("descriptor without its process: pid=" + raw.pid());
    }
    boolean closeOnExec = (raw.status().flags() & Flags.O_CLOEXEC) != 0;
    process.put(new Descriptor(raw.number(), closeOnExec, file, raw.info().toString()));
    file.add(new Slot(process.process(), raw.number()));
  }

  private static OpenFile open(RawDescriptor raw) {
    OpenFile.Status s = raw.status();
    FileKind kind = FileKind.of(s.mode(), s.nlink(), s.flags(), s.rdev(), raw.link());
    return new OpenFile(kind, s.withoutCloseOnExec(), raw.link(), raw.info().toString());
  }

  private static String string(ByteBuffer in, int length) {
    byte[] bytes = new byte[length];
    in.get(bytes);
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private static ByteBuffer copy(ByteBuffer in, int length) {
    byte[] bytes = new byte[length];
    in.get(bytes);
    return ByteBuffer.wrap(bytes).asReadOnlyBuffer();
  }

  /** Copies processes with the open file descriptions they share. */
  static final class Copier {
    private final SortedMap<Integer, ProcessFiles> copies = new TreeMap<>();
    private final Map<OpenFile, OpenFile> files = new HashMap<>();

    void add(ProcessFiles process) {
      ProcessFiles copy = process.withoutDescriptors();
      copies.put(copy.process(), copy);
      for (Descriptor old : process.descriptors().values()) {
        OpenFile from = old.file();
        OpenFile file =
            files.computeIfAbsent(
                from, f -> new OpenFile(f.kind(), f.status(), f.link(), f.info()));
        file.add(new Slot(copy.process(), old.number()));
        copy.put(new Descriptor(old.number(), old.closeOnExec(), file, old.info()));
      }
    }

    SortedMap<Integer, ProcessFiles> processes() {
      return copies;
    }
  }
}
