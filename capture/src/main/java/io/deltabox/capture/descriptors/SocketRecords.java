package io.deltabox.capture.descriptors;

import io.deltabox.capture.record.RecordReader;
import io.deltabox.capture.record.RecordWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** Sockets as bytes. */
final class SocketRecords {
  private SocketRecords() {}

  static void write(RecordWriter out, SocketState socket) {
    SocketState.Type type = socket.type();
    out.number(type.domain()).number(type.type()).number(type.protocol());
    out.flag(type.listening()).number(type.tcpState());
    out.bytes(socket.ends().local()).bytes(socket.ends().remote());
    SocketState.Traffic traffic = socket.traffic();
    out.number(traffic.backlog()).number(traffic.pending()).number(traffic.inQueue());
    out.number(traffic.outQueue()).number(traffic.unsent()).number(traffic.received());
    out.number(traffic.acked()).flag(traffic.passed());
    UnixState unix = socket.peers();
    out.number(unix.peer()).number(unix.node()).number(unix.waiting()).number(unix.backlog());
    out.number(unix.state()).number(unix.shutdown());
    out.list(
        socket.options(),
        option -> out.number(option.level()).number(option.name()).number(option.value()));
    out.list(socket.queue(), out::bytes).number(socket.seen());
  }

  static SocketState read(RecordReader in) throws IOException {
    SocketState.Type type =
        new SocketState.Type(in.number(), in.number(), in.number(), in.flag(), in.number());
    SocketState.Ends ends = new SocketState.Ends(in.bytes(), in.bytes());
    SocketState.Traffic traffic =
        new SocketState.Traffic(
            in.number(),
            in.number(),
            in.number(),
            in.number(),
            in.number(),
            in.longNumber(),
            in.longNumber(),
            in.flag());
    UnixState unix =
        new UnixState(
            in.longNumber(), in.longNumber(), in.number(), in.number(), in.number(), in.number());
    List<SocketState.Option> options =
        in.list(() -> new SocketState.Option(in.number(), in.number(), in.number()));
    List<ByteBuffer> queue = in.list(in::bytes);
    return new SocketState(type, ends, traffic, unix, options, queue, in.number());
  }
}
