package io.deltabox.capture.descriptors;

import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A socket: what it is, whom it is connected with, and what is queued for reading.
 *
 * @param peers what the kernel's list says of a unix socket
 * @param queue messages, or the bytes of a stream in portions
 * @param seen messages the window found
 */
record SocketState(
    Type type,
    Ends ends,
    Traffic traffic,
    UnixState peers,
    List<Option> options,
    List<ByteBuffer> queue,
    int seen) {
  static final int UNIX = 1;
  static final int INET = 2;
  static final int INET6 = 10;
  static final int NETLINK = 16;
  static final int STREAM = 1;
  static final int DGRAM = 2;
  static final int TCP = 6;
  static final int UDP = 17;
  static final int ESTABLISHED = 1;
  static final int CLOSED = 7;

  /** Kind of socket. */
  record Type(int domain, int type, int protocol, boolean listening, int tcpState) {}

  /** Addresses as the kernel writes them; empty when there is none. */
  record Ends(ByteBuffer local, ByteBuffer remote) {}

  /**
   * Counters.
   *
   * @param pending connections nobody has accepted yet
   * @param passed whether descriptors are in flight in the queue
   */
  record Traffic(
      int backlog,
      int pending,
      int inQueue,
      int outQueue,
      int unsent,
      long received,
      long acked,
      boolean passed) {}

  /** An option that could be read. */
  record Option(int level, int name, int value) {}

  SocketState {
    options = List.copyOf(options);
    queue = List.copyOf(queue);
  }

  SocketState with(List<ByteBuffer> messages, @Nullable UnixState unix) {
    List<ByteBuffer> whole = messages.subList(0, Math.min(seen, messages.size()));
    UnixState known = unix == null ? UnixState.UNKNOWN : unix;
    return new SocketState(type, ends, traffic, known, options, whole, seen);
  }

  boolean isUnix() {
    return type.domain() == UNIX;
  }

  boolean isInet() {
    return type.domain() == INET || type.domain() == INET6;
  }

  boolean isTcp() {
    return isInet() && type.protocol() == TCP;
  }

  boolean isStream() {
    return type.type() == STREAM;
  }

  boolean isConnectedTcp() {
    return isTcp() && !type.listening() && type.tcpState() != CLOSED;
  }

  int option(int level, int name) {
    for (Option option : options) {
      if (option.level() == level && option.name() == name) {
        return option.value();
      }
    }
    return 0;
  }

  long queuedBytes() {
    long sum = 0;
    for (ByteBuffer message : queue) {
      sum += message.remaining();
    }
    return sum;
  }
}
