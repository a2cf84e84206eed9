package io.deltabox.capture;

import io.deltabox.linux.Errno;
import io.deltabox.linux.NativeLibrary;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Gives a stopped process a descriptor of ours: through a socket pair it makes itself, one end of
 * which is borrowed (unix(7), SCM_RIGHTS).
 */
final class FileDelivery {
  private static final int SOCKETPAIR = 53;
  private static final int RECVMSG = 47;
  private static final int AF_UNIX = 1;
  private static final int SOCK_DGRAM = 2;
  private static final int MSG_CMSG_CLOEXEC = 0x40000000;
  private static final int CMSG_BYTES = 24;

  /** Public because the binding defines its implementation in a class loader of its own. */
  public interface Calls {
    int dbx_file_pass(int pidfd, int theirSocket, int file);
  }

  private static final Calls CALLS = NativeLibrary.bind(Calls.class);

  private FileDelivery() {}

  /** Returns the number the process has it under, close-on-exec. */
  static int deliver(StoppedProcess process, int file) throws IOException {
    Injection pair = process.inject();
    Injection.Arg ends = pair.space(8);
    Injection.Call made =
        pair.call(
            SOCKETPAIR,
            pair.value(AF_UNIX),
            pair.value(SOCK_DGRAM | Sys.O_CLOEXEC),
            pair.value(0),
            ends);
    pair.run();
    Errno.check(pair.result(made), "make socket pair inside a process");
    ByteBuffer numbers = pair.read(ends);
    int first = numbers.getInt(0);
    int second = numbers.getInt(4);
    int sent = CALLS.dbx_file_pass(process.pidfd(), second, file);
    Injection take = process.inject();
    Injection.Arg control = take.space(CMSG_BYTES);
    Injection.Arg byteRead = take.space(8);
    ByteBuffer vector = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(8, 1);
    Injection.Arg iov = take.bytes(vector.array());
    take.point(iov, 0, byteRead);
    ByteBuffer header = ByteBuffer.allocate(56).order(ByteOrder.LITTLE_ENDIAN);
    header.putLong(24, 1).putLong(40, CMSG_BYTES);
    Injection.Arg message = take.bytes(header.array());
    take.point(message, 16, iov);
    take.point(message, 32, control);
    Injection.Call received =
        take.call(RECVMSG, take.value(first), message, take.value(MSG_CMSG_CLOEXEC | 0x40));
    take.call(Sys.CLOSE, take.value(first));
    take.call(Sys.CLOSE, take.value(second));
    take.run();
    Errno.check(sent, "pass descriptor");
    Errno.check(take.result(received), "receive descriptor inside a process");
    return take.read(control).getInt(16);
  }
}
