package io.deltabox.capture.descriptors;

import io.deltabox.capture.CaptureException;
import io.deltabox.capture.ClockOffsets;
import io.deltabox.capture.Injection;
import io.deltabox.capture.StoppedProcess;
import io.deltabox.linux.Errno;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One reconcile: the two tables, the stopped processes, and every descriptor the daemon holds
 * meanwhile; closing it closes them all.
 */
final class Run implements AutoCloseable {
  private final DescriptorTable current;
  private final DescriptorTable target;
  private final Map<Integer, StoppedProcess> processes;
  private final FileOpener files;
  private final OuterEnds ends;
  private final Kernel kernel;
  private final List<Integer> owned = new ArrayList<>();
  private final Map<OpenFile, Integer> held = new LinkedHashMap<>();
  private final Map<OpenFile, Integer> orphanEnds = new HashMap<>();
  private final Map<String, FileKey> keys = new HashMap<>();
  private final List<String> notes = new ArrayList<>();
  private final RemovedDirectories removed = new RemovedDirectories(this);
  private final RemovedFiles removedFiles = new RemovedFiles(this);

  private final ClockOffsets later;

  Run(
      DescriptorTable current,
      DescriptorTable target,
      Map<Integer, StoppedProcess> processes,
      FileOpener files,
      OuterEnds ends,
      ClockOffsets later)
      throws IOException {
    this.current = current;
    this.target = target;
    this.processes = Map.copyOf(processes);
    this.files = files;
    this.ends = ends;
    this.later = later;
    this.kernel = new Kernel(files.devices());
  }

  /** How much later the machine's clocks reach what the sandbox's clocks show. */
  ClockOffsets later() {
    return later;
  }

  Kernel kernel() {
    return kernel;
  }

  /** The daemon's ends of pipes. */
  OuterEnds ends() {
    return ends;
  }

  /** Opens files as the sandbox sees them. */
  FileOpener files() {
    return files;
  }

  RemovedFiles removedFiles() {
    return removedFiles;
  }

  RemovedDirectories removed() {
    return removed;
  }

  /** Only what living processes hold. */
  DescriptorTable current() {
    return current;
  }

  DescriptorTable target() {
    return target;
  }

  Map<Integer, StoppedProcess> processes() {
    return processes;
  }

  StoppedProcess process(int inner) throws CaptureException {
    StoppedProcess process = processes.get(inner);
    if (process == null) {
      throw new CaptureException(
          "put descriptors back failed: the process is not there, pid=" + inner);
    }
    return process;
  }

  /** Makes the run close a descriptor at its end. */
  int own(int fd) {
    owned.add(fd);
    return fd;
  }

  /** Closes an owned descriptor now. */
  void release(int fd) {
    owned.remove((Integer) fd);
    kernel.closeQuietly(fd);
  }

  /** Borrows a descriptor of the sandbox until the end of the run. */
  int steal(OpenFile file) throws IOException {
    Slot slot = file.slots().first();
    return own(kernel.steal(process(slot.process()).pidfd(), slot.number()));
  }

  /** The daemon's descriptor for a wanted open file description, if there is one. */
  @Nullable Integer held(OpenFile target) {
    return held.get(target);
  }

  void hold(OpenFile target, int fd) {
    held.put(target, fd);
  }

  /** Opens a place of the sandbox, until the end of the run. */
  int place(String path) throws IOException {
    return own(files.openPlace(path));
  }

  /** Which file a path leads to now; null if to none. */
  @Nullable FileKey key(String path) {
    if (keys.containsKey(path)) {
      return keys.get(path);
    }
    FileKey key = null;
    try {
      int place = files.openPlace(path);
      key = kernel.stat(place).key();
      kernel.closeQuietly(place);
    } catch (IOException e) {
      // a path that leads nowhere is an answer; whoever needs the file opens it and says why not
      key = null;
    }
    keys.put(path, key);
    return key;
  }

  /** What /proc tells of a living description, also after files have moved. */
  String linkNow(OpenFile current) throws IOException {
    if (!files.namesMoved()) {
      return current.link();
    }
    Slot slot = current.slots().first();
    return kernel.link(process(slot.process()).pid(), slot.number());
  }

  boolean isGoneNow(OpenFile current) throws IOException {
    return RemovedDirectories.isGone(linkNow(current));
  }

  /** Remembers the end of a new pair that nobody holds: what is queued comes through it. */
  void orphanEnd(OpenFile target, int fd) {
    orphanEnds.put(target, fd);
  }

  @Nullable Integer orphanEnd(OpenFile target) {
    return orphanEnds.get(target);
  }

  /** Borrows a wanted description from a process that has been given it. */
  int stealGiven(OpenFile target) throws IOException {
    Slot slot = target.slots().first();
    return own(kernel.steal(process(slot.process()).pidfd(), slot.number()));
  }

  /**
   * Runs calls in a process of the sandbox that make a descriptor there, and moves it here.
   *
   * @param calls appends the calls and returns the one whose result is the descriptor
   */
  int madeInside(int inner, Function<Injection, Injection.Call> calls) throws IOException {
    StoppedProcess process = process(inner);
    Injection injection = process.inject();
    Injection.Call call = calls.apply(injection);
    injection.run();
    int number = (int) Errno.check(injection.result(call), "make a descriptor in the sandbox");
    return moved(process, number)[0];
  }

  /** Makes two connected sockets in a process of the sandbox and moves them here. */
  int[] pairInside(int inner, int domain, int type) throws IOException {
    StoppedProcess process = process(inner);
    Injection injection = process.inject();
    Injection.Arg ends = injection.space(8);
    Injection.Call call =
        injection.call(
            Calls.SOCKETPAIR,
            injection.value(domain),
            injection.value(type | Flags.O_CLOEXEC),
            injection.value(0),
            ends);
    injection.run();
    Errno.check(injection.result(call), "make a socket pair in the sandbox");
    ByteBuffer numbers = injection.read(ends).order(ByteOrder.LITTLE_ENDIAN);
    return moved(process, numbers.getInt(0), numbers.getInt(4));
  }

  private int[] moved(StoppedProcess process, int... numbers) throws IOException {
    int[] here = new int[numbers.length];
    Injection injection = process.inject();
    for (int i = 0; i < numbers.length; i++) {
      here[i] = own(kernel.steal(process.pidfd(), numbers[i]));
      injection.call(Calls.CLOSE, injection.value(numbers[i]));
    }
    injection.run();
    return here;
  }

  /** Opens a place of the sandbox; null if the path leads nowhere. */
  @Nullable Integer placeIfThere(String path) {
    try {
      return place(path);
    } catch (IOException e) {
      // the caller has another way for a path that leads nowhere
      return null;
    }
  }

  /**
   * Opens the place of a file that is known by its identity only; null if it is not found.
   *
   * @param holder whose processes' working directories are the likeliest places
   */
  @Nullable Integer find(FileKey key, OpenFile holder) throws IOException {
    List<String> near = new ArrayList<>();
    for (Slot slot : holder.slots()) {
      ProcessFiles process = target.processes().get(slot.process());
      if (process != null && !near.contains(process.cwd().path())) {
        near.add(process.cwd().path());
      }
    }
    OptionalInt place = files.find(key, near);
    return place.isPresent() ? own(place.getAsInt()) : null;
  }

  /** Something that could not be put back and is documented as lost. */
  void note(String text) {
    notes.add(text);
  }

  List<String> notes() {
    return List.copyOf(notes);
  }

  @Override
  public void close() {
    for (int fd : owned) {
      kernel.closeQuietly(fd);
    }
    owned.clear();
    kernel.close();
  }
}
