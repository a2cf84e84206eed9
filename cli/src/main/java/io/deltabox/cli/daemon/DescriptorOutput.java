package io.deltabox.cli.daemon;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Writes to a passed descriptor, waiting for its reader, until the session is called off. Owns the
 * descriptor; {@link #close} waits for a write to come back, so call the session off first.
 */
final class DescriptorOutput extends OutputStream {
  private static final int BUFFER_BYTES = 64 << 10;

  private final int fd;
  private final int cancel;
  private @Nullable Memory buffer;
  private boolean closed;

  DescriptorOutput(int fd, int cancel) {
    this.fd = fd;
    this.cancel = cancel;
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public synchronized void write(byte[] from, int offset, int length) throws IOException {
    if (closed) {
      throw new IOException("output is closed");
    }
    Memory memory = buffer;
    if (memory == null) {
      memory = Memory.allocate(BUFFER_BYTES, Memory.Touch.LATER);
      buffer = memory;
    }
    for (int done = 0; done < length; ) {
      int step = Math.min(length - done, BUFFER_BYTES);
      memory.slice(0, step).put(from, offset + done, step);
      long result = CommandFunctions.NATIVE.dbx_command_write(fd, cancel, memory.address(), step);
      Errno.check(result, "write the caller's output");
      done += step;
    }
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
