package io.deltabox.capture.descriptors;

import io.deltabox.capture.ClockOffsets;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * All descriptors of all processes of a sandbox at one moment, with the content of the objects
 * behind them. Immutable and thread-safe.
 */
public final class DescriptorTable {
  private final SortedMap<Integer, ProcessFiles> processes;
  private final Set<OpenFile> files;
  private final Contents contents;
  private final Map<FileKey, OtherName> otherNames;
  private final TableImage image;

  /** What is inside the objects, by identity. */
  record Contents(
      Map<FileKey, PipeContent> pipes,
      Map<FileKey, FileContent> orphans,
      Map<Long, SocketState> sockets,
      Map<Integer, TerminalState> terminals,
      List<Trouble> troubles) {
    Contents {
      pipes = Map.copyOf(pipes);
      orphans = Map.copyOf(orphans);
      sockets = Map.copyOf(sockets);
      terminals = Map.copyOf(terminals);
      troubles = List.copyOf(troubles);
    }

    static Contents none() {
      return new Contents(Map.of(), Map.of(), Map.of(), Map.of(), List.of());
    }
  }

  DescriptorTable(SortedMap<Integer, ProcessFiles> processes, Contents contents) {
    this(processes, contents, TableImage.NONE);
  }

  DescriptorTable(SortedMap<Integer, ProcessFiles> processes, Contents contents, TableImage image) {
    this(processes, contents, Map.of(), image);
  }

  DescriptorTable(
      SortedMap<Integer, ProcessFiles> processes,
      Contents contents,
      Map<FileKey, OtherName> otherNames,
      TableImage image) {
    this.otherNames = Map.copyOf(otherNames);
    this.image = image;
    this.processes = new TreeMap<>(processes);
    this.files = new LinkedHashSet<>();
    this.contents = contents;
    for (ProcessFiles process : processes.values()) {
      for (Descriptor descriptor : process.descriptors().values()) {
        files.add(descriptor.file());
      }
    }
  }

  /** What the machine's clocks showed when it was read; empty without a process. */
  public Optional<ClockOffsets> clocks() {
    return processes.values().stream()
        .map(ProcessFiles::clocks)
        .max(Comparator.comparingLong(ProcessFiles.Clocks::monotonicNanos))
        .map(last -> new ClockOffsets(last.monotonicNanos(), last.boottimeNanos()));
  }

  /** True if some descriptor holds a lease, which proc(5) tells among the locks of its file. */
  public boolean anyLease() {
    for (OpenFile file : files) {
      if (file.info().contains("LEASE")) {
        return true;
      }
    }
    return false;
  }

  /**
   * A file opened under a name that was gone, found by no other name, that nobody in {@code now}
   * holds any more: there is no path by which to open it again. Null if there is none.
   */
  public @Nullable OpenFile lost(DescriptorTable now) {
    Set<FileKey> held = new HashSet<>();
    now.files.forEach(file -> held.add(file.key()));
    now.processes.values().forEach(process -> held.add(process.cwd().key()));
    for (OpenFile file : files) {
      if (file.kind().isNamed()
          && file.isNameGone()
          && !file.isDirectory()
          && otherName(file.key()) == null
          && !hasContent(file)
          && !held.contains(file.key())) {
        return file;
      }
    }
    return null;
  }

  /**
   * The same table with what leads to files whose names are gone; asked for at the checkpoint,
   * because only then do numbers tell which file is meant.
   *
   * @param mapped such files that are mapped
   */
  public DescriptorTable withOtherNames(
      Collection<FileKey> mapped, Function<FileKey, @Nullable OtherName> names) {
    Set<FileKey> gone = new HashSet<>(mapped);
    for (OpenFile file : files) {
      if (file.kind().isNamed() && file.isNameGone()) {
        gone.add(file.key());
      }
    }
    Map<FileKey, OtherName> found = new HashMap<>();
    for (FileKey key : gone) {
      OtherName name = names.apply(key);
      if (name != null) {
        found.put(key, name);
      }
    }
    return found.isEmpty() ? this : new DescriptorTable(processes, contents, found, image);
  }

  Map<FileKey, OtherName> otherNames() {
    return otherNames;
  }

  /** What leads to a file whose name was gone; null for nothing. */
  public @Nullable OtherName otherName(FileKey key) {
    return otherNames.get(key);
  }

  /** Whether the content of a regular file whose name was gone is here. */
  boolean hasContent(OpenFile file) {
    return file.leadsToRegularFile()
        && (file.status().size() == 0 || contents.orphans().containsKey(file.key()));
  }

  /** True if some descriptor may write to a file that has a name. */
  public boolean anyWriter() {
    for (OpenFile file : files) {
      if (file.kind() == FileKind.REGULAR && file.canWrite()) {
        return true;
      }
    }
    return false;
  }

  /** A table without processes. */
  public static DescriptorTable empty() {
    return new DescriptorTable(new TreeMap<>(), Contents.none());
  }

  /**
   * Reads the records of a window; records of other parts are skipped, nothing of the buffer is
   * kept.
   *
   * @param devices of the container that was read
   * @throws IllegalArgumentException if a record does not hold what its kind promises
   */
  public static DescriptorTable parse(ByteBuffer records, Devices devices) {
    return parse(records, devices, TableImage.of(records, devices));
  }

  private static DescriptorTable parse(ByteBuffer records, Devices devices, TableImage image) {
    TableReader reader = new TableReader(devices);
    reader.acceptAll(records);
    return reader.finish(image);
  }

  /**
   * The same, and {@code likely} itself if it was made of equal records, clocks aside. Then nothing
   * has changed: a timer that runs would tell another remaining time.
   */
  public static DescriptorTable parse(ByteBuffer records, Devices devices, DescriptorTable likely) {
    TableImage image = TableImage.of(records, devices);
    return image.same(likely.image) ? likely : parse(records, devices, image);
  }

  /**
   * True if some descriptor has state that no record tells: events queued for a watch of files, and
   * which edge-triggered members of an epoll set the program has been told of.
   */
  public boolean anyUntold() {
    for (OpenFile file : files) {
      if (file.kind() == FileKind.INOTIFY
          || (file.kind() == FileKind.EPOLL && EpollSets.anyEdge(file))) {
        return true;
      }
    }
    return false;
  }

  /** All of it as the bytes of a record, see {@link #ofRecord}. */
  public ByteBuffer toRecord() {
    return TableRecords.write(this);
  }

  /** The table {@link #toRecord} was called of, on whatever machine. */
  public static DescriptorTable ofRecord(ByteBuffer record) throws IOException {
    return TableRecords.read(record);
  }

  /** By number inside the sandbox. */
  public SortedMap<Integer, ProcessFiles> processes() {
    return Collections.unmodifiableSortedMap(processes);
  }

  /** Every open file description once. */
  public Set<OpenFile> files() {
    return Collections.unmodifiableSet(files);
  }

  /** The open file description at a place. */
  public @Nullable OpenFile at(Slot slot) {
    ProcessFiles process = processes.get(slot.process());
    return process == null ? null : process.file(slot.number());
  }

  /** The same table with processes that hold nothing yet. */
  public DescriptorTable with(Collection<ProcessFiles> more) {
    SortedMap<Integer, ProcessFiles> all = new TreeMap<>(processes);
    for (ProcessFiles one : more) {
      ProcessFiles known = all.get(one.process());
      if (known == null || one.descriptors().isEmpty()) {
        all.put(one.process(), one);
      }
    }
    // An open file knows its holders; one that was replaced is none any more.
    TableReader.Copier copier = new TableReader.Copier();
    all.values().forEach(copier::add);
    return new DescriptorTable(copier.processes(), contents);
  }

  /** What a process may do; null if it is not known. */
  public @Nullable Rights rights(int process) {
    ProcessFiles found = processes.get(process);
    return found == null ? null : found.rights();
  }

  /** Bytes of content kept in memory for this table, for the account of the keeper. */
  public long contentBytes() {
    long sum = 0;
    for (PipeContent pipe : contents.pipes().values()) {
      sum += pipe.bytes();
    }
    for (SocketState socket : contents.sockets().values()) {
      sum += socket.queuedBytes();
    }
    for (FileContent orphan : contents.orphans().values()) {
      for (FileContent.Extent extent : orphan.extents()) {
        sum += extent.bytes().remaining();
      }
    }
    return sum;
  }

  /**
   * The same table without the processes not named; open file descriptions keep their places there.
   */
  DescriptorTable restrictedTo(Set<Integer> numbers) {
    if (processes.keySet().equals(numbers)) {
      return this;
    }
    TableReader.Copier copier = new TableReader.Copier();
    for (int number : numbers) {
      ProcessFiles process = processes.get(number);
      if (process != null) {
        copier.add(process);
      }
    }
    return new DescriptorTable(copier.processes(), contents, otherNames, TableImage.NONE);
  }

  /** State of a socket by inode number; null when it is none or could not be read. */
  @Nullable SocketState socket(OpenFile file) {
    return contents.sockets().get(file.key().ino());
  }

  Contents contents() {
    return contents;
  }
}
