package io.deltabox;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The daemon's end of the socket to pid 1. Requests may come from any thread; reports are received
 * by one thread at a time.
 */
final class InitChannel implements AutoCloseable {
  static final int FLAG_TTY = 1;
  static final int FLAG_CGROUP = 2;

  private static final int OP_START = 1;
  private static final int OP_ADOPT = 2;
  private static final int OP_SIGNAL = 3;
  private static final int REQUEST_BYTES = 32;
  private static final int FDS_BYTES = 9 * 4;

  /** A report with the descriptors that came along; the receiver closes them. */
  record Received(InitMessage message, List<Descriptor> descriptors) {}

  /** What a start request says beside its descriptors. */
  record Start(int exec, int flags, int uid, int gid, int argumentCount, int variableCount) {}

  private final SandboxFunctions.Calls calls = SandboxFunctions.get();
  private final Descriptor socket;
  private final Memory incoming;
  private final Memory outgoing;

  InitChannel(Descriptor socket) throws IOException {
    this.socket = socket;
    this.incoming = Memory.allocate(InitMessage.BYTES + FDS_BYTES + 4, Memory.Touch.NOW);
    this.outgoing = Memory.allocate(REQUEST_BYTES + FDS_BYTES, Memory.Touch.NOW);
  }

  Descriptor socket() {
    return socket;
  }

  /**
   * Receives one report.
   *
   * @return null if pid 1 has gone
   * @throws IOException if nothing came in time or what came is no report
   */
  @Nullable Received receive(int timeoutMillis) throws IOException {
    long fds = incoming.address() + InitMessage.BYTES + 4;
    int size =
        calls.dbx_sandbox_receive(
            socket.fd(), incoming.address(), InitMessage.BYTES, fds, timeoutMillis);
    List<Descriptor> descriptors = descriptors();
    if (size == 0) {
      return null;
    }
    InitMessage message =
        size == InitMessage.BYTES ? InitMessage.parse(incoming.slice(0, size)) : null;
    if (message == null) {
      descriptors.forEach(Descriptor::close);
      Errno.check(size, "receive from pid 1 of the sandbox");
      throw new IOException(
          "pid 1 of the sandbox sent something else than a report: bytes=" + size);
    }
    return new Received(message, descriptors);
  }

  private List<Descriptor> descriptors() {
    ByteBuffer numbers = incoming.slice(InitMessage.BYTES + 4, FDS_BYTES);
    List<Descriptor> descriptors = new ArrayList<>();
    for (int i = 1; i <= numbers.getInt(0); i++) {
      descriptors.add(new Descriptor(numbers.getInt(i * 4)));
    }
    numbers.putInt(0, 0);
    return descriptors;
  }

  /** Asks for a command; descriptors: payload, three of stdio, and the cgroup's if flagged. */
  void start(Start start, List<Descriptor> descriptors) throws IOException {
    int[] words = {
      OP_START,
      start.exec(),
      start.flags(),
      start.uid(),
      start.gid(),
      0,
      start.argumentCount(),
      start.variableCount()
    };
    send(words, descriptors);
  }

  /** Tells that a command's first process is alive again. */
  void adopt(int exec, int pid) throws IOException {
    send(new int[] {OP_ADOPT, exec, 0, 0, 0, pid, 0, 0}, List.of());
  }

  void signal(int exec, int signal) throws IOException {
    send(new int[] {OP_SIGNAL, exec, 0, 0, 0, signal, 0, 0}, List.of());
  }

  private synchronized void send(int[] words, List<Descriptor> descriptors) throws IOException {
    ByteBuffer request = outgoing.slice(0, REQUEST_BYTES + FDS_BYTES);
    for (int word : words) {
      request.putInt(word);
    }
    for (Descriptor descriptor : descriptors) {
      request.putInt(descriptor.fd());
    }
    Errno.check(
        calls.dbx_sandbox_send(
            socket.fd(),
            outgoing.address(),
            REQUEST_BYTES,
            outgoing.address() + REQUEST_BYTES,
            descriptors.size()),
        "send to pid 1 of the sandbox");
  }

  @Override
  public synchronized void close() {
    if (socket.open()) {
      socket.close();
      incoming.close();
      outgoing.close();
    }
  }
}
