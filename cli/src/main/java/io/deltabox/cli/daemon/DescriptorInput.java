package io.deltabox.cli.daemon;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * Reads a passed descriptor until its end or until the session is called off. Owns the descriptor;
 * {@link #close} waits for a read to come back, so call the session off first.
 */
final class DescriptorInput extends InputStream {
  private static final int BUFFER_BYTES = 64 << 10;

  private final int fd;
  private final int cancel;
  private @Nullable Memory buffer;
  private boolean closed;

  DescriptorInput(int fd, int cancel) {
    this.fd = fd;
    this.cancel = cancel;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public synchronized int read(byte[] to, int offset, int length) throws IOException {
    if (closed) {
      throw new IOException("input is closed");
    }
    if (length == 0) {
      return 0;
    }
    Memory memory = buffer;
    if (memory == null) {
      memory = Memory.allocate(BUFFER_BYTES, Memory.Touch.LATER);
      buffer = memory;
    }
    long got =
        CommandFunctions.NATIVE.dbx_command_read(
            fd, cancel, memory.address(), Math.min(length, BUFFER_BYTES));
    int bytes = (int) Errno.check(got, "read the caller's input");
    if (bytes == 0) {
      return -1;
    }
    memory.slice(0, bytes).get(to, offset, bytes);
    return bytes;
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      if (buffer != null) {
        buffer.close();
      }
      CommandFunctions.NATIVE.dbx_command_close(fd);
    }
  }
}
