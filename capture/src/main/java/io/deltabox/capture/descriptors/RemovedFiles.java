package io.deltabox.capture.descriptors;

import io.deltabox.capture.CaptureException;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Files that were open under a name gone at the snapshot and yet count links: they have another
 * name, or are files of the base, which no removal inside reaches. One object for all who shared
 * it.
 */
final class RemovedFiles {
  private final Run run;
  private final Map<FileKey, Integer> known = new HashMap<>();

  RemovedFiles(Run run) {
    this.run = run;
  }

  /**
   * Opens one as a place.
   *
   * @return a descriptor that belongs to the run
   */
  int open(OpenFile target) throws IOException {
    Integer have = known.get(target.key());
    if (have != null) {
      return have;
    }
    int place = run.own(run.kernel().reopen(find(target), Flags.O_PATH));
    known.put(target.key(), place);
    return place;
  }

  /** The same file, if it has been opened already. */
  @Nullable Integer opened(FileKey key) {
    return known.get(key);
  }

  private int find(OpenFile target) throws IOException {
    OtherName other = run.target().otherName(target.key());
    if (other != null && other.place() == OtherName.Place.SANDBOX) {
      return run.own(run.files().openGone(other.path(), Flags.O_PATH));
    }
    Integer held = held(target);
    if (held != null) {
      return held;
    }
    if (run.target().hasContent(target)) {
      return copy(target);
    }
    Integer found = run.find(target.key(), target);
    if (found == null) {
      throw new CaptureException(
          "open again failed: it had no name at the checkpoint and nobody holds it now, " + target);
    }
    return found;
  }

  private @Nullable Integer held(OpenFile target) throws IOException {
    for (OpenFile other : run.target().files()) {
      Integer held = other.key().equals(target.key()) ? run.held(other) : null;
      if (held != null) {
        return held;
      }
    }
    for (OpenFile now : run.current().files()) {
      boolean alike = now.kind() == target.kind() || target.kind() == FileKind.PATH;
      if (now.key().equals(target.key())
          && alike
          && run.isGoneNow(now)
          && sameContent(now, target, run)) {
        return run.steal(now);
      }
    }
    int object = run.files().object(target.key());
    if (object < 0) {
      return null;
    }
    if (target.leadsToRegularFile()) {
      // Content comes with the mappings; a file that was made for them has it and nothing else.
      run.kernel().setAttributes(object, target.status().attributes());
    }
    return object;
  }

  /** Whether a living file without a name that leads to it has the content wanted. */
  static boolean sameContent(OpenFile now, OpenFile target, Run run) {
    return !target.leadsToRegularFile()
        || (now.status().attributes().equals(target.status().attributes())
            && now.status().size() == target.status().size()
            && Objects.equals(
                run.current().contents().orphans().get(now.key()),
                run.target().contents().orphans().get(target.key())));
  }

  private int copy(OpenFile target) throws IOException {
    int file = run.own(run.files().makeNameless(target.link()));
    FileContent content = run.target().contents().orphans().get(target.key());
    Kernel kernel = run.kernel();
    kernel.check("ftruncate", Calls.FTRUNCATE, file, target.status().size(), 0, 0);
    if (content != null) {
      for (FileContent.Extent extent : content.extents()) {
        kernel.write(file, extent.bytes(), extent.offset());
      }
    }
    kernel.setAttributes(file, target.status().attributes());
    return file;
  }
}
