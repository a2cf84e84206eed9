package io.deltabox.capture.descriptors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Puts the bytes inside pipes and FIFOs back, once for each pipe whatever the number of ends. */
final class PipeContents {
  private PipeContents() {}

  /** Runs when every wanted end lives or has been made. */
  static void refill(Run run, Matching matching) throws IOException {
    Set<FileKey> done = new HashSet<>();
    for (OpenFile target : run.target().files()) {
      PipeContent wanted = run.target().contents().pipes().get(target.key());
      if (wanted == null || !wanted.readable() || !done.add(target.key())) {
        continue;
      }
      OpenFile now = matching.current(target);
      FileKey key = now == null ? target.key() : now.key();
      PipeContent content = held(run, key) ? run.current().contents().pipes().get(key) : null;
      if (content == null || !content.sameContent(wanted)) {
        fill(run, end(run, target, now), wanted, content);
      }
    }
  }

  /** A pipe that only processes held which have ended since it was looked at is gone. */
  private static boolean held(Run run, FileKey pipe) {
    for (OpenFile file : run.current().files()) {
      if (file.key().equals(pipe)) {
        return true;
      }
    }
    return false;
  }

  private static int end(Run run, OpenFile target, @Nullable OpenFile now) throws IOException {
    Integer held = run.held(target);
    if (held != null) {
      return held;
    }
    if (now == null) {
      throw new IllegalStateException("pipe neither lives nor was made: " + target);
    }
    return run.steal(now);
  }

  /**
   * Replaces what is inside, through an open file description of both directions of its own: the
   * sandbox's flags stay untouched and neither side can block. A packet is written under O_DIRECT.
   */
  private static void fill(Run run, int pipe, PipeContent wanted, @Nullable PipeContent now)
      throws IOException {
    Kernel kernel = run.kernel();
    int fd = run.own(kernel.reopen(pipe, Flags.O_RDWR | Flags.O_NONBLOCK));
    kernel.drain(fd);
    if (now == null || wanted.capacity() != now.capacity()) {
      kernel.check("size pipe", Calls.FCNTL, fd, Calls.F_SETPIPE_SZ, wanted.capacity(), 0);
    }
    List<ByteBuffer> packets = wanted.packets();
    if (packets.size() > 1) {
      kernel.setFlags(fd, Flags.O_DIRECT | Flags.O_NONBLOCK);
    }
    for (ByteBuffer packet : packets) {
      kernel.write(fd, packet);
    }
  }
}
