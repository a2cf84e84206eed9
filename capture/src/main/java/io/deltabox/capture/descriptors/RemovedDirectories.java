package io.deltabox.capture.descriptors;

import io.deltabox.capture.CaptureException;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Directories that were removed while processes were in them or held them open: one object for all
 * who shared it, taken from a process that still has it, else made again.
 */
final class RemovedDirectories {
  private static final String DELETED = " (deleted)";

  private final Run run;
  private final Map<FileKey, Integer> known = new HashMap<>();

  RemovedDirectories(Run run) {
    this.run = run;
  }

  static boolean isGone(String path) {
    return path.endsWith(DELETED);
  }

  /**
   * Opens one as a place.
   *
   * @param key what the snapshot knows it by
   * @param path with the mark of a removed one
   * @return a descriptor that belongs to the run
   */
  int open(FileKey key, String path, int mode) throws IOException {
    Integer have = known.get(key);
    if (have != null) {
      return have;
    }
    Integer held = held(key);
    int place = held != null ? held : make(path, mode);
    known.put(key, place);
    return place;
  }

  private @Nullable Integer held(FileKey key) throws IOException {
    for (OpenFile file : run.current().files()) {
      if (isRemoved(file.key(), file.link(), key)) {
        return run.own(run.kernel().reopen(run.steal(file), Flags.O_PATH | Flags.O_DIRECTORY));
      }
    }
    for (ProcessFiles process : run.current().processes().values()) {
      if (isRemoved(process.cwd().key(), process.cwd().path(), key)) {
        String link = "/proc/" + run.process(process.process()).pid() + "/cwd";
        return run.own(run.kernel().open(link, Flags.O_PATH | Flags.O_DIRECTORY, 0));
      }
    }
    return null;
  }

  private static boolean isRemoved(FileKey found, String path, FileKey key) {
    return isGone(path) && found.equals(key);
  }

  /** On the file system it was on, as near to its old place as there is a directory. */
  private int make(String gone, int mode) throws IOException {
    String path = gone.substring(0, gone.length() - DELETED.length());
    IOException failure = new CaptureException("make a removed directory failed: path=" + path);
    while (!path.isEmpty()) {
      path = path.substring(0, Math.max(0, path.lastIndexOf('/')));
      try {
        int parent = run.place(path.isEmpty() ? "/" : path);
        return run.own(run.kernel().removedDirectory(parent, mode));
      } catch (IOException e) {
        failure.addSuppressed(e);
      }
    }
    throw failure;
  }
}
