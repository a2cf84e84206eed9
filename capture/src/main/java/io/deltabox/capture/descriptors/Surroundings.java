package io.deltabox.capture.descriptors;

import io.deltabox.capture.CaptureException;
import io.deltabox.capture.Injection;
import io.deltabox.linux.Errno;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Working directory, file mode mask and root directory of every process. One that is in another
 * root directory was made again; nothing leads back out of it.
 */
final class Surroundings {
  private Surroundings() {}

  /** Takes hold of removed directories that are wanted, while those who have them still do. */
  static void hold(Run run) throws IOException {
    for (ProcessFiles wanted : run.target().processes().values()) {
      Place cwd = wanted.cwd();
      if (RemovedDirectories.isGone(cwd.path())) {
        run.removed().open(cwd.key(), cwd.path(), cwd.mode());
      }
    }
  }

  /** Runs before sockets are bound, whose addresses may be relative to the directory. */
  static void restore(Run run) throws IOException {
    for (ProcessFiles wanted : run.target().processes().values()) {
      ProcessFiles now = run.current().processes().get(wanted.process());
      if (now != null) {
        restore(run, wanted, now);
      }
    }
  }

  private static void restore(Run run, ProcessFiles wanted, ProcessFiles now) throws IOException {
    // In another container the same root is another directory.
    boolean leaves =
        !now.root().key().equals(wanted.root().key())
            && !now.root().path().equals(wanted.root().path());
    if (leaves) {
      enterRoot(run, wanted, now);
    }
    int lent = lend(run, wanted, now, leaves);
    Injection batch = run.process(wanted.process()).inject();
    List<Injection.Call> calls = new ArrayList<>();
    if (now.umask() != wanted.umask()) {
      calls.add(batch.call(Calls.UMASK, batch.value(wanted.umask())));
    }
    if (lent >= 0) {
      calls.add(batch.call(Calls.FCHDIR, batch.value(lent)));
      batch.call(Calls.CLOSE, batch.value(lent));
    } else if (!isThere(run, wanted.cwd(), now.cwd())) {
      String path = wanted.cwd().path() + "\0";
      byte[] bytes = path.getBytes(StandardCharsets.ISO_8859_1);
      calls.add(batch.call(Calls.CHDIR, batch.bytes(bytes)));
    }
    if (calls.isEmpty()) {
      return;
    }
    batch.run();
    for (Injection.Call call : calls) {
      Errno.check(
          batch.result(call),
          "put the working directory back, pid="
              + wanted.process()
              + " path="
              + wanted.cwd().path());
    }
  }

  private static void enterRoot(Run run, ProcessFiles wanted, ProcessFiles now) throws IOException {
    if (!now.root().path().equals("/")) {
      throw new CaptureException(
          "put the root directory back failed: nothing leads out of another one, pid="
              + wanted.process()
              + " root="
              + now.root().path());
    }
    int lent = lendPlace(run, wanted, wanted.root().path());
    Injection batch = run.process(wanted.process()).inject();
    Injection.Call go = batch.call(Calls.FCHDIR, batch.value(lent));
    Injection.Call enter =
        batch.call(Calls.CHROOT, batch.bytes(".\0".getBytes(StandardCharsets.ISO_8859_1)));
    batch.call(Calls.CLOSE, batch.value(lent));
    batch.run();
    String what = ", pid=" + wanted.process() + " path=" + wanted.root().path();
    Errno.check(batch.result(go), "reach the root directory" + what);
    Errno.check(batch.result(enter), "enter the root directory again" + what);
  }

  private static int lendPlace(Run run, ProcessFiles to, String path) throws IOException {
    int place = run.files().openPlace(path);
    try {
      return new Delivery(run.kernel(), run.process(to.process())).lend(place);
    } finally {
      run.kernel().closeQuietly(place);
    }
  }

  /**
   * A removed directory has no path, and in another root directory paths are others; the process
   * gets a descriptor of it for the moment.
   */
  private static int lend(Run run, ProcessFiles wanted, ProcessFiles now, boolean otherRoot)
      throws IOException {
    Place cwd = wanted.cwd();
    if (otherRoot && !RemovedDirectories.isGone(cwd.path())) {
      return lendPlace(run, wanted, cwd.path());
    }
    if (!RemovedDirectories.isGone(cwd.path()) || isThere(run, cwd, now.cwd())) {
      return -1;
    }
    int place = run.removed().open(cwd.key(), cwd.path(), cwd.mode());
    return new Delivery(run.kernel(), run.process(wanted.process())).lend(place);
  }

  private static boolean isThere(Run run, Place wanted, Place now) {
    if (RemovedDirectories.isGone(wanted.path())) {
      return RemovedDirectories.isGone(now.path()) && now.key().equals(wanted.key());
    }
    return now.key().equals(run.key(wanted.path()));
  }
}
