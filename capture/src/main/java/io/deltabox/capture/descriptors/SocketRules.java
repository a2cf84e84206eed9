package io.deltabox.capture.descriptors;

import io.deltabox.capture.CaptureException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Sockets. One that still lives in the same relation is kept; a pair whose ends both were inside is
 * made again as a pair; what listened listens again; a TCP connection that leaves the sandbox and
 * was used since comes back unconnected.
 *
 * <p>New sockets are made inside the sandbox, whose network they belong to, and moved here to be
 * set up.
 */
final class SocketRules implements KindRules {
  static final int SOL_SOCKET = 1;
  private static final int SO_REUSEADDR = 2;
  private static final int SO_SNDBUF = 7;
  private static final int SO_RCVBUF = 8;
  private static final int SO_REUSEPORT = 15;
  private static final int SO_PEEK_OFF = 42;
  private static final int IPPROTO_IPV6 = 41;
  private static final int IPV6_V6ONLY = 26;
  private static final int UNIX_CONNECTED = 1;
  private static final int FAMILY_BYTES = 2;

  private final Map<Long, Integer> otherEnds = new HashMap<>();

  @Override
  public Making making() {
    return Making.AFTER_CLOSING;
  }

  @Override
  public boolean same(OpenFile current, OpenFile target, Run run) {
    if (current.kind() != FileKind.SOCKET || !current.key().equals(target.key())) {
      return false;
    }
    SocketState now = run.current().socket(current);
    SocketState wanted = run.target().socket(target);
    if (now == null || wanted == null) {
      return true;
    }
    if (now.type().listening() != wanted.type().listening()) {
      return false;
    }
    if (wanted.isUnix()) {
      return sameUnix(now, wanted, run);
    }
    return !wanted.isTcp() || sameTcp(now, wanted, run);
  }

  private static boolean sameUnix(SocketState now, SocketState wanted, Run run) {
    UnixState then = wanted.peers();
    if (wanted.type().listening()) {
      return now.peers().node() == then.node() && nodeIsThere(wanted, run);
    }
    boolean closing = then.peer() == 0 && then.state() == UNIX_CONNECTED;
    return now.peers().peer() == then.peer()
        && now.peers().shutdown() == then.shutdown()
        && (!(closing || then.shutdown() != 0) || now.queue().equals(wanted.queue()));
  }

  /** A node that was removed and made again has the old name, but nobody listens behind it. */
  private static boolean nodeIsThere(SocketState wanted, Run run) {
    String path = path(wanted);
    if (path == null || !path.startsWith("/")) {
      return true;
    }
    FileKey key = run.key(path);
    return key != null && (key.ino() & 0xffffffffL) == wanted.peers().node();
  }

  private static boolean sameTcp(SocketState now, SocketState wanted, Run run) {
    if (now.type().tcpState() != wanted.type().tcpState()) {
      return false;
    }
    if (!wanted.isConnectedTcp()) {
      return true;
    }
    if (!now.ends().equals(wanted.ends())) {
      return false;
    }
    boolean inside = tcpPeer(run.target(), wanted) != null;
    boolean idle =
        now.traffic().received() == wanted.traffic().received()
            && now.traffic().acked() == wanted.traffic().acked();
    return inside ? tcpPeer(run.current(), now) != null : idle;
  }

  /** The other end of a TCP connection, if it is in the table. */
  static @Nullable OpenFile tcpPeer(DescriptorTable table, SocketState end) {
    for (OpenFile file : table.files()) {
      SocketState other = file.kind() == FileKind.SOCKET ? table.socket(file) : null;
      if (other != null
          && other.isConnectedTcp()
          && other.ends().local().equals(end.ends().remote())
          && other.ends().remote().equals(end.ends().local())) {
        return file;
      }
    }
    return null;
  }

  /** The path a unix socket is bound to; null if it has none. */
  static @Nullable String path(SocketState socket) {
    ByteBuffer local = socket.ends().local();
    if (!socket.isUnix() || local.remaining() <= FAMILY_BYTES || local.get(FAMILY_BYTES) == 0) {
      return null;
    }
    StringBuilder path = new StringBuilder();
    for (int i = FAMILY_BYTES; i < local.limit() && local.get(i) != 0; i++) {
      path.append((char) (local.get(i) & 0xff));
    }
    return path.toString();
  }

  @Override
  public boolean differs(OpenFile current, OpenFile target, Run run) {
    SocketState now = run.current().socket(current);
    SocketState wanted = run.target().socket(target);
    return KindRules.flagsDiffer(current, target)
        || (now != null && wanted != null && !now.options().equals(wanted.options()));
  }

  @Override
  public void edit(int fd, OpenFile current, OpenFile target, Run run) throws IOException {
    KindRules.setFlags(fd, current, target, run);
    SocketState now = run.current().socket(current);
    SocketState wanted = run.target().socket(target);
    if (now == null || wanted == null) {
      return;
    }
    for (SocketState.Option option : wanted.options()) {
      if (now.option(option.level(), option.name()) != option.value()) {
        set(fd, option, run);
      }
    }
  }

  private static void set(int fd, SocketState.Option option, Run run) throws IOException {
    boolean buffer =
        option.level() == SOL_SOCKET && (option.name() == SO_SNDBUF || option.name() == SO_RCVBUF);
    // the kernel doubles what is set and tells the doubled value
    int value = buffer ? option.value() / 2 : option.value();
    run.kernel().setOption(fd, option.level(), option.name(), value);
  }

  @Override
  public int make(OpenFile target, Run run) throws IOException {
    SocketState wanted = run.target().socket(target);
    if (wanted == null) {
      throw new CaptureException("make a socket again failed: its state is unknown, " + target);
    }
    int fd = wanted.isUnix() ? unix(target, wanted, run) : inet(target, wanted, run);
    for (SocketState.Option option : wanted.options()) {
      if (isWorthSetting(option)) {
        set(fd, option, run);
      }
    }
    run.kernel().setFlags(fd, target.status().flags());
    return fd;
  }

  /** Setting a buffer size, even to what it is, ends its automatic growth. */
  private static boolean isWorthSetting(SocketState.Option option) {
    boolean buffer =
        option.level() == SOL_SOCKET && (option.name() == SO_SNDBUF || option.name() == SO_RCVBUF);
    boolean usual = option.value() == 0 || (option.name() == SO_PEEK_OFF && option.value() < 0);
    return !buffer && !usual && option.level() != IPPROTO_IPV6;
  }

  private int unix(OpenFile target, SocketState wanted, Run run) throws IOException {
    Integer end = otherEnds.remove(target.key().ino());
    if (end != null) {
      return end;
    }
    UnixState peers = wanted.peers();
    boolean connected = peers.peer() != 0 || peers.state() == UNIX_CONNECTED;
    if (!connected || wanted.type().listening()) {
      return named(target, wanted, run);
    }
    if (peers.peer() != 0 && !isMutual(run.target(), target.key().ino(), peers.peer())) {
      if (isInside(run.target(), peers.peer())) {
        run.note("a datagram socket is connected no longer, " + target);
        return named(target, wanted, run);
      }
      throw new CaptureException(
          "make a socket again failed: its other end is outside the sandbox, " + target);
    }
    int[] ends =
        run.pairInside(target.slots().first().process(), SocketState.UNIX, wanted.type().type());
    if (peers.peer() == 0) {
      run.orphanEnd(target, ends[1]);
    } else {
      otherEnds.put(peers.peer(), ends[1]);
    }
    return ends[0];
  }

  /** Many datagram sockets may be connected to one that is not connected to them. */
  private static boolean isMutual(DescriptorTable table, long ino, long peer) {
    SocketState other = table.contents().sockets().get(peer);
    return other != null && other.peers().peer() == ino;
  }

  static boolean isInside(DescriptorTable table, long ino) {
    for (OpenFile file : table.files()) {
      if (file.kind() == FileKind.SOCKET && file.key().ino() == ino) {
        return true;
      }
    }
    return false;
  }

  private static int create(OpenFile target, SocketState wanted, Run run) throws IOException {
    SocketState.Type type = wanted.type();
    return run.madeInside(
        target.slots().first().process(),
        batch ->
            batch.call(
                Calls.SOCKET,
                batch.value(type.domain()),
                batch.value(type.type() | Flags.O_CLOEXEC),
                batch.value(type.protocol())));
  }

  private static int named(OpenFile target, SocketState wanted, Run run) throws IOException {
    String path = path(wanted);
    int fd = path == null ? create(target, wanted, run) : UnixNames.bind(target, wanted, path, run);
    ByteBuffer local = wanted.ends().local();
    if (path == null && local.remaining() > FAMILY_BYTES) {
      run.kernel().address("bind a socket", Calls.BIND, fd, local);
    }
    listen(fd, wanted, wanted.peers().backlog(), run);
    return fd;
  }

  private static void listen(int fd, SocketState wanted, int backlog, Run run) throws IOException {
    if (wanted.type().listening()) {
      run.kernel().check("listen", Calls.LISTEN, fd, backlog, 0, 0);
    }
  }

  private int inet(OpenFile target, SocketState wanted, Run run) throws IOException {
    Integer end = otherEnds.remove(target.key().ino());
    if (end != null) {
      return end;
    }
    int fd = create(target, wanted, run);
    if (wanted.isConnectedTcp()) {
      OpenFile peer = tcpPeer(run.target(), wanted);
      SocketState other = peer == null ? null : run.target().socket(peer);
      if (peer != null && other != null && TcpPair.canBeMade(wanted, other)) {
        int there = create(peer, other, run);
        int pid = run.process(target.slots().first().process()).pid();
        TcpPair.connect(run.kernel(), pid, fd, there, wanted.ends());
        otherEnds.put(peer.key().ino(), there);
        return fd;
      }
      run.note("a connection is reset: it has ended or was used since, " + target);
      return fd;
    }
    Kernel kernel = run.kernel();
    boolean inet = wanted.isInet();
    if (inet) {
      // connections that linger after their end must not keep the port
      kernel.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      kernel.setOption(fd, SOL_SOCKET, SO_REUSEPORT, wanted.option(SOL_SOCKET, SO_REUSEPORT));
    }
    if (wanted.type().domain() == SocketState.INET6) {
      kernel.setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, wanted.option(IPPROTO_IPV6, IPV6_V6ONLY));
    }
    if (isBound(wanted)) {
      kernel.address("bind a socket", Calls.BIND, fd, wanted.ends().local());
    }
    listen(fd, wanted, wanted.traffic().backlog(), run);
    if (inet) {
      kernel.setOption(fd, SOL_SOCKET, SO_REUSEADDR, wanted.option(SOL_SOCKET, SO_REUSEADDR));
    }
    ByteBuffer remote = wanted.ends().remote();
    if (remote.hasRemaining()) {
      kernel.address("connect a socket again", Calls.CONNECT, fd, remote);
    }
    return fd;
  }

  private static boolean isBound(SocketState wanted) {
    ByteBuffer local = wanted.ends().local();
    return wanted.isInet()
        ? local.remaining() > 4 && (local.get(2) != 0 || local.get(3) != 0)
        : local.remaining() > FAMILY_BYTES;
  }
}
