package io.deltabox.capture.descriptors;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Reads the records of sockets. */
final class SocketReader {
  private static final int ADDRESS = 128;
  private static final int OPTIONS = 14;

  private SocketReader() {}

  static SocketState socket(ByteBuffer body) {
    body.getLong();
    int domain = body.getInt();
    int type = body.getInt();
    int protocol = body.getInt();
    boolean listening = body.getInt() != 0;
    SocketState.Type kind = new SocketState.Type(domain, type, protocol, listening, body.getInt());
    int backlog = body.getInt();
    int pending = body.getInt();
    int inQueue = body.getInt();
    int outQueue = body.getInt();
    int unsent = body.getInt();
    long received = body.getLong();
    long acked = body.getLong();
    boolean passed = body.getInt() != 0;
    int seen = body.getInt();
    SocketState.Traffic traffic =
        new SocketState.Traffic(
            backlog, pending, inQueue, outQueue, unsent, received, acked, passed);
    int localLength = body.getInt();
    int remoteLength = body.getInt();
    SocketState.Ends ends =
        new SocketState.Ends(address(body, localLength), address(body, remoteLength));
    return new SocketState(kind, ends, traffic, UnixState.UNKNOWN, options(body), List.of(), seen);
  }

  private static ByteBuffer address(ByteBuffer body, int length) {
    byte[] bytes = new byte[Math.min(length, ADDRESS)];
    body.get(body.position(), bytes);
    body.position(body.position() + ADDRESS);
    return ByteBuffer.wrap(bytes).asReadOnlyBuffer();
  }

  private static List<SocketState.Option> options(ByteBuffer body) {
    List<SocketState.Option> options = new ArrayList<>();
    for (int i = 0; i < OPTIONS; i++) {
      SocketState.Option option =
          new SocketState.Option(body.getInt(), body.getInt(), body.getInt());
      if (body.getInt() == 0) {
        options.add(option);
      }
    }
    return options;
  }

  static UnixState unix(ByteBuffer body) {
    body.getInt();
    long peer = body.getInt() & 0xffffffffL;
    long node = body.getInt() & 0xffffffffL;
    body.getInt();
    int waiting = body.getInt();
    int backlog = body.getInt();
    body.getInt();
    int state = body.getInt();
    return new UnixState(peer, node, waiting, backlog, state, body.getInt());
  }
}
