package io.deltabox.capture.descriptors;

import io.deltabox.capture.CaptureException;
import java.io.IOException;

/**
 * Regular files, directories, FIFOs and places, which their path finds again: after the files are
 * back, the path recorded at the checkpoint leads to the right inode.
 */
final class NamedRules implements KindRules {
  private static final int TYPE = 0170000;

  @Override
  public boolean same(OpenFile current, OpenFile target, Run run) throws IOException {
    if (!KindRules.sameMode(current, target)) {
      return false;
    }
    if (!target.isNameGone()) {
      return current.key().equals(run.key(target.link()))
          && (target.isDirectory() || run.linkNow(current).equals(target.link()));
    }
    OtherName other = run.target().otherName(target.key());
    if (other != null && other.place() == OtherName.Place.SANDBOX) {
      return current.key().equals(run.key(other.path())) && run.isGoneNow(current);
    }
    // A directory that has a name yet is about to be deleted with all that is in it.
    return current.key().equals(target.key())
        && current.kind() == target.kind()
        && run.isGoneNow(current)
        && RemovedFiles.sameContent(current, target, run);
  }

  @Override
  public boolean differs(OpenFile current, OpenFile target, Run run) {
    return KindRules.flagsDiffer(current, target)
        || current.status().position() != target.status().position();
  }

  @Override
  public void edit(int fd, OpenFile current, OpenFile target, Run run) throws IOException {
    KindRules.setFlags(fd, current, target, run);
    if (current.status().position() != target.status().position()) {
      run.kernel().seek(fd, target.status().position());
    }
  }

  @Override
  public int make(OpenFile target, Run run) throws IOException {
    int place = place(target, run);
    int mode = run.kernel().stat(place).mode();
    if ((mode & TYPE) != (target.status().mode() & TYPE)) {
      throw new CaptureException(
          String.format(
              "open again failed: the path leads to another type of file, path=%s type=%o"
                  + " expected=%o",
              target.link(), mode & TYPE, target.status().mode() & TYPE));
    }
    if (target.kind() == FileKind.PATH) {
      boolean asIs = (target.status().flags() & Flags.O_NOFOLLOW) != 0;
      return asIs ? place : run.own(run.kernel().reopen(place, target.status().flags()));
    }
    if (target.kind() == FileKind.FIFO) {
      // opening one end alone would wait for, or fail without, the other
      run.own(run.kernel().reopen(place, Flags.O_RDWR | Flags.O_NONBLOCK));
    }
    return open(place, target, run);
  }

  /** The name it was opened by may be gone while the file has another one. */
  private int place(OpenFile target, Run run) throws IOException {
    if (!target.isNameGone()) {
      return run.place(target.link());
    }
    if (target.isDirectory()) {
      return run.removed().open(target.key(), target.link(), target.status().mode());
    }
    return run.removedFiles().open(target);
  }

  private static int open(int place, OpenFile target, Run run) throws IOException {
    int flags = target.status().flags() & ~(Flags.O_ASYNC | Flags.O_NOFOLLOW);
    int fd = run.own(run.kernel().reopen(place, flags | Flags.O_NONBLOCK | Flags.O_NOCTTY));
    if ((flags & Flags.O_NONBLOCK) == 0) {
      run.kernel().setFlags(fd, flags);
    }
    if (target.status().position() != 0) {
      run.kernel().seek(fd, target.status().position());
    }
    return fd;
  }
}
