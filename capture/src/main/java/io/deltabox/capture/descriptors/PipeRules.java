package io.deltabox.capture.descriptors;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Pipes. One that anybody still holds an end of - a process of the sandbox, or the daemon, whose
 * ends are the stdio of commands - is the same pipe; any other is made again.
 */
final class PipeRules implements KindRules {
  private final Map<FileKey, Integer> made = new HashMap<>();
  private final Map<End, Integer> fresh = new HashMap<>();

  private record End(FileKey pipe, int accessMode) {}

  @Override
  public boolean same(OpenFile current, OpenFile target, Run run) {
    return current.kind() == FileKind.PIPE
        && current.key().equals(target.key())
        && KindRules.sameMode(current, target);
  }

  @Override
  public boolean differs(OpenFile current, OpenFile target, Run run) {
    return KindRules.flagsDiffer(current, target);
  }

  @Override
  public void edit(int fd, OpenFile current, OpenFile target, Run run) throws IOException {
    KindRules.setFlags(fd, current, target, run);
  }

  @Override
  public int make(OpenFile target, Run run) throws IOException {
    int origin = origin(target, run);
    int flags = target.status().flags();
    Integer unused = fresh.remove(new End(target.key(), target.accessMode()));
    int fd =
        unused != null ? unused : run.own(run.kernel().reopen(origin, flags | Flags.O_NONBLOCK));
    run.kernel().setFlags(fd, flags);
    return fd;
  }

  private int origin(OpenFile target, Run run) throws IOException {
    FileKey key = target.key();
    Integer known = made.get(key);
    if (known != null) {
      return known;
    }
    Integer fd = living(key, run);
    if (fd == null) {
      fd = run.ends().find(target.link());
    }
    if (fd == null) {
      int[] ends = run.kernel().pair("make a pipe", Calls.PIPE2, 0);
      fresh.put(new End(key, 0), run.own(ends[0]));
      fresh.put(new End(key, Flags.O_WRONLY), run.own(ends[1]));
      fd = ends[0];
    }
    made.put(key, fd);
    return fd;
  }

  private static @Nullable Integer living(FileKey key, Run run) throws IOException {
    for (OpenFile other : run.current().files()) {
      if (other.key().equals(key)) {
        return run.steal(other);
      }
    }
    return null;
  }
}
