package io.deltabox.cli.daemon;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Frames of one client. Receiving belongs to one thread, sending to any; {@link #close} must follow
 * the end of both.
 */
final class Connection implements AutoCloseable {
  static final int REQUEST = 1;
  static final int SIGNAL = 2;
  static final int WINDOW = 3;
  static final int EXIT = 16;
  static final int RAW = 17;
  static final int BEGUN = 19;

  private static final int MAGIC = 0x31584244;
  private static final int HEADER_BYTES = 12;

  /** A request carries at most 2 MiB of arguments and their lengths. */
  private static final int BODY_BYTES_MAX = 4 << 20;

  private static final int STEP_BYTES = 64 << 10;
  private static final int DESCRIPTORS = 3;

  private final int fd;
  private final int never;
  private final Memory in;
  private final Memory out;
  private boolean closed;

  /** One frame of the client. */
  record Frame(int kind, ByteBuffer body) {}

  /** A request with the caller's descriptors 0, 1 and 2, owned by the receiver. */
  record Opening(Frame frame, int input, int output, int errors) {}

  Connection(int fd) throws IOException {
    this.fd = fd;
    this.never = (int) Errno.check(CommandFunctions.NATIVE.dbx_command_canceller(), "make eventfd");
    this.in = Memory.allocate(STEP_BYTES + 4096L, Memory.Touch.LATER);
    this.out = Memory.allocate(4096, Memory.Touch.LATER);
  }

  /** Receives the first frame and its descriptors. */
  Opening open() throws IOException {
    int[] descriptors = {-1, -1, -1};
    try {
      Frame frame = receive(descriptors);
      if (frame.kind() != REQUEST || descriptors[DESCRIPTORS - 1] < 0) {
        throw new IOException("client sent no request: kind=" + frame.kind());
      }
      return new Opening(frame, descriptors[0], descriptors[1], descriptors[2]);
    } catch (IOException e) {
      for (int descriptor : descriptors) {
        if (descriptor >= 0) {
          CommandFunctions.NATIVE.dbx_command_close(descriptor);
        }
      }
      throw e;
    }
  }

  /** Receives a later frame; any end of the connection is an exception. */
  Frame receive() throws IOException {
    return receive(new int[0]);
  }

  private Frame receive(int[] descriptors) throws IOException {
    ByteBuffer header = bytes(HEADER_BYTES, descriptors);
    int magic = header.getInt();
    int kind = header.getInt();
    int length = header.getInt();
    if (magic != MAGIC || length < 0 || length > BODY_BYTES_MAX) {
      throw new IOException("malformed frame: magic=" + magic + " length=" + length);
    }
    return new Frame(kind, bytes(length, new int[0]));
  }

  private ByteBuffer bytes(int length, int[] descriptors) throws IOException {
    ByteBuffer whole = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (whole.hasRemaining()) {
      int step = Math.min(whole.remaining(), STEP_BYTES);
      long got =
          CommandFunctions.NATIVE.dbx_command_receive(
              fd, in.address(), step, in.address() + STEP_BYTES, descriptors.length);
      int count = (int) Errno.check(got, "receive from the client");
      ByteBuffer taken = in.slice(STEP_BYTES, 4 * (1 + DESCRIPTORS));
      for (int i = 0; i < taken.getInt(0); i++) {
        descriptors[i] = taken.getInt(4 + 4 * i);
      }
      if (count == 0) {
        throw new IOException("client is gone");
      }
      whole.put(in.slice(0, count));
    }
    return whole.flip();
  }

  /** Sends a frame of one number. */
  synchronized void send(int kind, int value) throws IOException {
    if (closed) {
      return;
    }
    out.slice(0, HEADER_BYTES + 4).putInt(MAGIC).putInt(kind).putInt(4).putInt(value);
    long result =
        CommandFunctions.NATIVE.dbx_command_write(fd, never, out.address(), HEADER_BYTES + 4);
    Errno.check(result, "send to the client");
  }

  /** Wakes the receiving thread. */
  void shutdown() {
    CommandFunctions.NATIVE.dbx_command_shutdown(fd);
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      in.close();
      out.close();
      CommandFunctions.NATIVE.dbx_command_close(fd);
      CommandFunctions.NATIVE.dbx_command_close(never);
    }
  }
}
