package io.deltabox.capture;

import io.deltabox.capture.descriptors.ProcessFiles;
import io.deltabox.capture.descriptors.Rights;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What decides whether one process can be edited into another; all numbers are those inside.
 *
 * @param exitStatus of a zombie, as wait(2) lays it out
 * @param complete its main thread lives
 * @param followed the engine has followed its memory without a break
 * @param program path of its program; empty for a zombie
 * @param ids real, effective, saved user, then the same of the group
 * @param secureBits capabilities(7); 0 where it runs another program than it was followed in
 * @param filtered it runs under a system call filter of its own
 * @param root path of its root directory as the sandbox sees it; {@link #ROOT} for a zombie
 * @param rights null for a zombie
 */
record ProcessFacts(
    int number,
    int parent,
    int session,
    int group,
    boolean zombie,
    int exitStatus,
    boolean complete,
    boolean followed,
    String program,
    @Nullable ImageState image,
    List<Integer> ids,
    boolean noNewPrivileges,
    int secureBits,
    boolean filtered,
    String root,
    @Nullable Rights rights) {
  /** Root directory of a process that has not called chroot(2). */
  static final String ROOT = "/";

  ProcessFacts {
    ids = List.copyOf(ids);
  }

  static ProcessFacts of(ProcessState state, @Nullable ProcessFiles files) {
    ImageState image = state.image();
    boolean main = state.isNew();
    for (ThreadState thread : state.threads()) {
      main |= thread.inner() == state.inner();
    }
    List<Integer> ids = new ArrayList<>();
    for (int id : state.ids()) {
      ids.add(id);
    }
    return new ProcessFacts(
        state.inner(),
        state.innerParent(),
        state.session(),
        state.group(),
        state.zombie(),
        state.zombie() && image != null ? image.exitStatus() : 0,
        main && !state.leaderDead(),
        !state.isNew() && !state.execed(),
        files == null ? "" : files.exe().path(),
        image,
        ids,
        state.noNewPrivileges(),
        state.secureBits(),
        state.filtered(),
        files == null ? ROOT : files.root().path(),
        files == null ? null : files.rights());
  }
}
