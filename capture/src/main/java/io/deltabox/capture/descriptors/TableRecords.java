package io.deltabox.capture.descriptors;

import io.deltabox.capture.record.RecordKind;
import io.deltabox.capture.record.RecordReader;
import io.deltabox.capture.record.RecordWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A descriptor table as bytes: the open file descriptions first, then the processes, whose
 * descriptors name a description by its place in that list, then what is inside the objects, then
 * what leads to files whose names were gone.
 */
final class TableRecords {
  private TableRecords() {}

  static ByteBuffer write(DescriptorTable table) {
    RecordWriter out = RecordWriter.of(RecordKind.DESCRIPTORS);
    IdentityHashMap<OpenFile, Integer> places = new IdentityHashMap<>();
    out.list(
        table.files(),
        file -> {
          places.put(file, places.size());
          write(out, file);
        });
    out.list(table.processes().values(), process -> write(out, process, places));
    ContentRecords.write(out, table.contents());
    out.list(
        ContentRecords.sorted(table.otherNames(), ContentRecords.KEYS),
        e ->
            ContentRecords.key(out, e.getKey())
                .text(e.getValue().place().name())
                .text(e.getValue().path()));
    return out.done();
  }

  private static void write(RecordWriter out, OpenFile file) {
    OpenFile.Status s = file.status();
    out.text(file.kind().name());
    out.number(s.dev()).number(s.ino()).number(s.rdev()).number(s.size()).number(s.position());
    OpenFile.Attributes a = s.attributes();
    out.number(a.mode()).number(a.uid()).number(a.gid());
    out.number(a.writtenSeconds()).number(a.writtenNanos());
    out.number(s.nlink()).number(s.flags()).number(s.seals());
    out.number(s.readNanos()).text(file.link()).text(file.info());
  }

  private static void write(
      RecordWriter out, ProcessFiles process, IdentityHashMap<OpenFile, Integer> places) {
    ProcessFiles.Ids ids = process.ids();
    out.number(ids.pid()).number(ids.inner()).number(ids.group()).number(ids.session());
    out.number(ids.innerGroup());
    write(out, process.cwd());
    write(out, process.root());
    write(out, process.exe());
    ProcessFiles.Clocks clocks = process.clocks();
    out.number(process.umask()).number(clocks.monotonicNanos());
    out.number(clocks.boottimeNanos()).number(clocks.realtimeNanos());
    write(out, process.rights());
    out.list(
        process.descriptors().values(),
        descriptor -> {
          Integer place = places.get(descriptor.file());
          if (place == null) {
            throw new IllegalStateException("descriptor leads to a file outside of its table");
          }
          out.number(descriptor.number()).flag(descriptor.closeOnExec());
          out.number(place.intValue()).text(descriptor.info());
        });
  }

  private static void write(RecordWriter out, Rights rights) {
    out.number(rights.inheritable()).number(rights.permitted()).number(rights.effective());
    out.number(rights.bounding()).number(rights.ambient());
    out.number(rights.filters()).text(rights.groups());
  }

  private static Rights rights(RecordReader in) throws IOException {
    return new Rights(
        in.longNumber(),
        in.longNumber(),
        in.longNumber(),
        in.longNumber(),
        in.longNumber(),
        in.number(),
        in.text());
  }

  private static void write(RecordWriter out, Place place) {
    out.text(place.path()).number(place.key().dev()).number(place.key().ino());
    out.number(place.mode());
  }

  static DescriptorTable read(ByteBuffer record) throws IOException {
    RecordReader in = RecordReader.of(RecordKind.DESCRIPTORS, record);
    List<OpenFile> files = in.list(() -> file(in));
    SortedMap<Integer, ProcessFiles> processes = new TreeMap<>();
    for (ProcessFiles process : in.list(() -> process(in, files))) {
      processes.put(process.process(), process);
    }
    DescriptorTable.Contents contents = ContentRecords.read(in);
    Map<FileKey, OtherName> names = new HashMap<>();
    in.list(() -> names.put(ContentRecords.key(in), otherName(in)) == null);
    in.done();
    return new DescriptorTable(processes, contents, names, TableImage.NONE);
  }

  private static OtherName otherName(RecordReader in) throws IOException {
    OtherName.Place place = in.constant(OtherName.Place.class);
    return new OtherName(in.text(), place);
  }

  private static OpenFile file(RecordReader in) throws IOException {
    FileKind kind = in.constant(FileKind.class);
    OpenFile.Status status =
        new OpenFile.Status(
            in.longNumber(),
            in.longNumber(),
            in.longNumber(),
            in.longNumber(),
            in.longNumber(),
            new OpenFile.Attributes(
                in.number(), in.number(), in.number(), in.longNumber(), in.longNumber()),
            in.number(),
            in.number(),
            in.number(),
            in.longNumber());
    return new OpenFile(kind, status, in.text(), in.text());
  }

  private static ProcessFiles process(RecordReader in, List<OpenFile> files) throws IOException {
    ProcessFiles.Ids ids =
        new ProcessFiles.Ids(in.number(), in.number(), in.number(), in.number(), in.number());
    Place cwd = place(in);
    Place root = place(in);
    Place exe = place(in);
    ProcessFiles.Places places = new ProcessFiles.Places(cwd, root, exe, in.number());
    ProcessFiles.Clocks clocks =
        new ProcessFiles.Clocks(in.longNumber(), in.longNumber(), in.longNumber());
    ProcessFiles process = new ProcessFiles(ids, places, clocks, rights(in));
    for (Descriptor descriptor : in.list(() -> descriptor(in, files))) {
      process.put(descriptor);
      descriptor.file().add(new Slot(process.process(), descriptor.number()));
    }
    return process;
  }

  private static Descriptor descriptor(RecordReader in, List<OpenFile> files) throws IOException {
    int number = in.number();
    boolean closeOnExec = in.flag();
    int place = in.number();
    if (place < 0 || place >= files.size()) {
      throw new IOException(
          "read record failed: damaged: descriptor leads nowhere: place=" + place);
    }
    return new Descriptor(number, closeOnExec, files.get(place), in.text());
  }

  private static Place place(RecordReader in) throws IOException {
    return new Place(in.text(), new FileKey(in.longNumber(), in.longNumber()), in.number());
  }

  /** What is inside the objects. */
  private static final class ContentRecords {
    private static final Comparator<FileKey> KEYS =
        Comparator.comparingLong(FileKey::dev).thenComparingLong(FileKey::ino);

    /** The same table gives the same bytes. */
    private static <K, V> Collection<Map.Entry<K, V>> sorted(
        Map<K, V> map, Comparator<? super K> order) {
      SortedMap<K, V> sorted = new TreeMap<>(order);
      sorted.putAll(map);
      return sorted.entrySet();
    }

    static void write(RecordWriter out, DescriptorTable.Contents contents) {
      out.list(
          sorted(contents.pipes(), KEYS),
          e -> {
            PipeContent pipe = e.getValue();
            key(out, e.getKey()).number(pipe.capacity()).number(pipe.events());
            out.list(pipe.packets(), out::bytes).flag(pipe.readable());
          });
      out.list(
          sorted(contents.orphans(), KEYS),
          e ->
              key(out, e.getKey())
                  .list(e.getValue().extents(), x -> out.number(x.offset()).bytes(x.bytes())));
      out.list(
          sorted(contents.sockets(), Comparator.naturalOrder()),
          e -> {
            out.number(e.getKey().longValue());
            SocketRecords.write(out, e.getValue());
          });
      out.list(
          sorted(contents.terminals(), Comparator.naturalOrder()), e -> write(out, e.getValue()));
      out.list(
          contents.troubles(),
          t -> out.number(t.pid()).number(t.number()).number(t.step()).number(t.error()));
    }

    private static RecordWriter key(RecordWriter out, FileKey key) {
      return out.number(key.dev()).number(key.ino());
    }

    private static void write(RecordWriter out, TerminalState t) {
      out.number(t.index()).flag(t.master()).number(t.foreground()).number(t.session());
      out.flag(t.locked()).number(t.queued());
      TerminalState.Window window = t.window();
      out.number(window.rows()).number(window.columns());
      out.number(window.width()).number(window.height()).bytes(t.settings());
    }

    static DescriptorTable.Contents read(RecordReader in) throws IOException {
      Map<FileKey, PipeContent> pipes = new HashMap<>();
      in.list(() -> pipes.put(key(in), pipe(in)) == null);
      Map<FileKey, FileContent> orphans = new HashMap<>();
      in.list(() -> orphans.put(key(in), new FileContent(in.list(() -> extent(in)))) == null);
      Map<Long, SocketState> sockets = new HashMap<>();
      in.list(() -> sockets.put(in.longNumber(), SocketRecords.read(in)) == null);
      Map<Integer, TerminalState> terminals = new HashMap<>();
      for (TerminalState terminal : in.list(() -> terminal(in))) {
        terminals.put(terminal.index(), terminal);
      }
      List<Trouble> troubles =
          new ArrayList<>(
              in.list(() -> new Trouble(in.number(), in.number(), in.number(), in.number())));
      return new DescriptorTable.Contents(pipes, orphans, sockets, terminals, troubles);
    }

    private static FileKey key(RecordReader in) throws IOException {
      return new FileKey(in.longNumber(), in.longNumber());
    }

    private static PipeContent pipe(RecordReader in) throws IOException {
      int capacity = in.number();
      int events = in.number();
      List<ByteBuffer> packets = in.list(in::bytes);
      return new PipeContent(capacity, events, packets, in.flag());
    }

    private static FileContent.Extent extent(RecordReader in) throws IOException {
      return new FileContent.Extent(in.longNumber(), in.bytes());
    }

    private static TerminalState terminal(RecordReader in) throws IOException {
      return new TerminalState(
          in.number(),
          in.flag(),
          in.number(),
          in.number(),
          in.flag(),
          in.number(),
          new TerminalState.Window(in.number(), in.number(), in.number(), in.number()),
          in.bytes());
    }
  }
}
