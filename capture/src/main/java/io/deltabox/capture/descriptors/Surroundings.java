package io.deltabox.capture.descriptors;

import io.deltabox.capture.CaptureException;
import io.deltabox.capture.Injection;
import io.deltabox.linux.Errno;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Working directory and file mode mask of every process; a root that has changed is one-way. */
final class Surroundings {
  private static final String DELETED = " (deleted)";

  private Surroundings() {}

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
    if (!now.root().key().equals(wanted.root().key())) {
      throw new CaptureException(
          "put the root of a process back failed: it has changed its root since, pid="
              + wanted.process()
              + " root="
              + now.root().path());
    }
    Injection batch = run.process(wanted.process()).inject();
    List<Injection.Call> calls = new ArrayList<>();
    if (now.umask() != wanted.umask()) {
      calls.add(batch.call(Calls.UMASK, batch.value(wanted.umask())));
    }
    if (!isThere(run, wanted.cwd(), now.cwd())) {
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

  private static boolean isThere(Run run, Place wanted, Place now) {
    if (wanted.path().endsWith(DELETED)) {
      return now.key().equals(wanted.key());
    }
    return now.key().equals(run.key(wanted.path()));
  }
}
