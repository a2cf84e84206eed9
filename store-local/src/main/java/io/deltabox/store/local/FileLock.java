package io.deltabox.store.local;

import io.deltabox.store.StoreException;
import io.deltabox.store.StoreInUseException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Holds a directory for this process, by a lock that the kernel lets go of when the process ends
 * (fcntl(2)). The file tells who holds it.
 */
final class FileLock implements AutoCloseable {
  private static final int PID_BYTES_MAX = 32;

  private final FileChannel channel;

  private FileLock(FileChannel channel) {
    this.channel = channel;
  }

  static FileLock take(Path directory) throws IOException {
    FileChannel channel =
        FileChannel.open(
            directory.resolve("lock"),
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    try {
      if (!tryLock(channel)) {
        throw new StoreInUseException(
            "another process has the store open: directory="
                + directory
                + " pid="
                + holder(channel)
                + " (end it, or use another directory)");
      }
      byte[] pid = (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
      channel.truncate(0);
      channel.write(ByteBuffer.wrap(pid), 0);
      return new FileLock(channel);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static boolean tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  private static String holder(FileChannel channel) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(PID_BYTES_MAX);
    Disk.readFully(channel, 0, bytes);
    return StandardCharsets.US_ASCII.decode(bytes.flip()).toString().strip();
  }

  @Override
  public void close() throws StoreException {
    try {
      channel.close();
    } catch (IOException e) {
      throw Disk.failure("let go of store failed", e);
    }
  }
}
