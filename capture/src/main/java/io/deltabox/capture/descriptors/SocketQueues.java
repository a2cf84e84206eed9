package io.deltabox.capture.descriptors;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Puts back what is queued in sockets between processes of the sandbox: drained at the reader, sent
 * again by the other end. Then shuts the directions that were shut.
 */
final class SocketQueues {
  private static final int ACCEPT4 = 288;

  private final Run run;
  private final Matching matching;

  private SocketQueues(Run run, Matching matching) {
    this.run = run;
    this.matching = matching;
  }

  /** Runs when every wanted socket lives or has been made, and before any is given away. */
  static void refill(Run run, Matching matching) throws IOException {
    SocketQueues queues = new SocketQueues(run, matching);
    for (OpenFile target : run.target().files()) {
      SocketState wanted = target.kind() == FileKind.SOCKET ? run.target().socket(target) : null;
      if (wanted == null) {
        continue;
      }
      OpenFile now = matching.current(target);
      SocketState state = now == null ? null : run.current().socket(now);
      if (wanted.type().listening()) {
        queues.dropWaiting(target, state);
      } else if (wanted.isUnix() || wanted.isConnectedTcp()) {
        queues.refill(target, wanted, state);
      }
    }
    for (OpenFile target : run.target().files()) {
      queues.shut(target);
    }
  }

  private int end(OpenFile target) throws IOException {
    Integer held = run.held(target);
    if (held != null) {
      return held;
    }
    OpenFile now = matching.current(target);
    if (now == null) {
      throw new IllegalStateException("socket neither lives nor was made: " + target);
    }
    int fd = run.steal(now);
    run.hold(target, fd);
    return fd;
  }

  /** Connections made since would be accepted from programs that never made them. */
  private void dropWaiting(OpenFile target, @Nullable SocketState now) throws IOException {
    if (now == null || now.traffic().pending() + now.peers().waiting() == 0) {
      return;
    }
    int fd = end(target);
    Kernel kernel = run.kernel();
    kernel.setFlags(fd, target.status().flags() | Flags.O_NONBLOCK);
    long accepted = kernel.call(ACCEPT4, fd, 0, 0, Flags.O_CLOEXEC);
    while (accepted >= 0) {
      kernel.closeQuietly((int) accepted);
      accepted = kernel.call(ACCEPT4, fd, 0, 0, Flags.O_CLOEXEC);
    }
    kernel.setFlags(fd, target.status().flags());
  }

  private void refill(OpenFile target, SocketState wanted, @Nullable SocketState now)
      throws IOException {
    boolean equal = now != null && joined(now).equals(joined(wanted));
    if (equal || (now == null && wanted.queue().isEmpty())) {
      return;
    }
    if (now != null && !now.queue().isEmpty()) {
      run.kernel().drainSocket(end(target));
    }
    if (wanted.queue().isEmpty()) {
      return;
    }
    Integer sender = sender(target, wanted);
    if (sender == null) {
      run.note("bytes queued in a socket are lost: nobody can send them again, " + target);
      return;
    }
    for (ByteBuffer message : wanted.queue()) {
      run.kernel().push(sender, message);
    }
  }

  /** Portions of a stream are an accident; messages are not. */
  private static Object joined(SocketState socket) {
    if (!socket.isStream()) {
      return socket.queue();
    }
    ByteBuffer all = ByteBuffer.allocate((int) socket.queuedBytes());
    socket.queue().forEach(message -> all.put(message.duplicate()));
    return all.flip();
  }

  private @Nullable Integer sender(OpenFile target, SocketState wanted) throws IOException {
    Integer orphan = run.orphanEnd(target);
    if (orphan != null) {
      return orphan;
    }
    OpenFile peer = SocketPairs.peer(run.target(), wanted);
    return peer == null ? null : end(peer);
  }

  private void shut(OpenFile target) throws IOException {
    SocketState wanted = target.kind() == FileKind.SOCKET ? run.target().socket(target) : null;
    Integer fd = run.held(target);
    boolean fresh = matching.current(target) == null;
    if (wanted == null || fd == null || !fresh || !wanted.isUnix()) {
      return;
    }
    Integer orphan = run.orphanEnd(target);
    if (orphan != null) {
      run.release(orphan);
    } else if (wanted.peers().shutdown() != 0) {
      // SHUT_RD, SHUT_WR, SHUT_RDWR are one less than the kernel's bits
      run.kernel().check("shut a socket", Calls.SHUTDOWN, fd, wanted.peers().shutdown() - 1, 0, 0);
    }
  }
}
