package io.deltabox.capture.descriptors;

import io.deltabox.capture.CaptureException;
import io.deltabox.capture.StoppedProcess;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
  private final Kernel kernel;
  private final List<Integer> owned = new ArrayList<>();
  private final Map<OpenFile, Integer> held = new LinkedHashMap<>();
  private final Map<String, FileKey> keys = new HashMap<>();
  private final List<String> notes = new ArrayList<>();

  Run(
      DescriptorTable current,
      DescriptorTable target,
      Map<Integer, StoppedProcess> processes,
      FileOpener files)
      throws IOException {
    this.current = current;
    this.target = target;
    this.processes = Map.copyOf(processes);
    this.files = files;
    this.kernel = new Kernel();
  }

  Kernel kernel() {
    return kernel;
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
