package io.deltabox.capture.descriptors;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Makes both ends of a TCP connection inside the sandbox again, under their old addresses, without
 * a packet: in repair mode connect(2) only writes down that it is connected (Linux 3.5, needs
 * CAP_NET_ADMIN over the network). Leaving that mode sends a window probe, from which each end
 * learns what the other has room for.
 */
final class TcpPair {
  private static final int IPPROTO_TCP = 6;
  private static final int TCP_REPAIR = 19;
  private static final int TCP_REPAIR_QUEUE = 20;
  private static final int TCP_QUEUE_SEQ = 21;
  private static final int TCP_REPAIR_OPTIONS = 22;
  private static final int RECEIVE = 1;
  private static final int SEND = 2;

  /** Option codes and values: largest segment on loopback, both windows scaled by 128. */
  private static final int[] OPTIONS = {2, 65483, 3, 7 | 7 << 16, 4, 0};

  /** Any numbers: both ends are given the same ones. */
  private static final int FIRST = 0x10000000;

  private static final int SECOND = 0x20000000;

  private TcpPair() {}

  /** Whether both ends were simply connected. */
  static boolean canBeMade(SocketState one, SocketState other) {
    return one.type().tcpState() == SocketState.ESTABLISHED
        && other.type().tcpState() == SocketState.ESTABLISHED;
  }

  /**
   * Connects two new sockets with each other.
   *
   * @param pid a process in whose network they are
   * @param ends addresses of the first one
   */
  static void connect(Kernel kernel, int pid, int one, int other, SocketState.Ends ends)
      throws IOException {
    // the connection of these addresses that was closed since may be waiting out its time
    kernel.destroy(pid, ends.local(), ends.remote());
    kernel.destroy(pid, ends.remote(), ends.local());
    prepare(kernel, one, FIRST, SECOND);
    prepare(kernel, other, SECOND, FIRST);
    join(kernel, one, ends.local(), ends.remote());
    join(kernel, other, ends.remote(), ends.local());
    kernel.setOption(one, IPPROTO_TCP, TCP_REPAIR, 0);
    kernel.setOption(other, IPPROTO_TCP, TCP_REPAIR, 0);
  }

  private static void prepare(Kernel kernel, int fd, int sent, int received) throws IOException {
    kernel.setOption(fd, IPPROTO_TCP, TCP_REPAIR, 1);
    kernel.setOption(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, SEND);
    kernel.setOption(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, sent);
    kernel.setOption(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, RECEIVE);
    kernel.setOption(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, received);
  }

  private static void join(Kernel kernel, int fd, ByteBuffer local, ByteBuffer remote)
      throws IOException {
    kernel.address("bind a connection", Calls.BIND, fd, local);
    kernel.address("connect a connection", Calls.CONNECT, fd, remote);
    ByteBuffer out = kernel.buffer(4 * OPTIONS.length);
    for (int value : OPTIONS) {
      out.putInt(value);
    }
    kernel.setOptionFromBuffer(fd, IPPROTO_TCP, TCP_REPAIR_OPTIONS, 4 * OPTIONS.length);
  }
}
