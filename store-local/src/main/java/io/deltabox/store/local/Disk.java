package io.deltabox.store.local;

import io.deltabox.store.StoreException;
import io.deltabox.store.StoreFullException;
import io.deltabox.store.StoreReadOnlyException;
import io.deltabox.store.StoreUnavailableException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.ReadOnlyFileSystemException;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/** Files and directories made durable, and what their failures mean. */
final class Disk {
  private Disk() {}

  /** Creates a file with some bytes, durable itself; its name is not until the directory is. */
  static void writeNew(Path file, ByteBuffer... parts) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (ByteBuffer part : parts) {
        writeFully(channel, part.duplicate());
      }
      channel.force(true);
    }
  }

  static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** Reads until the buffer is full or the file ends. */
  static void readFully(FileChannel channel, long position, ByteBuffer into) throws IOException {
    long at = position;
    while (into.hasRemaining()) {
      int got = channel.read(into, at);
      if (got < 0) {
        return;
      }
      at += got;
    }
  }

  static void syncDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** Replaces a file with another, in one step. */
  static void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Makes a directory and those above it, durably, down from one that exists. */
  static void makeDirectories(Path directory) throws IOException {
    if (Files.isDirectory(directory)) {
      return;
    }
    Path parent = directory.getParent();
    if (parent != null) {
      makeDirectories(parent);
    }
    Files.createDirectories(directory);
    if (parent != null) {
      syncDirectory(parent);
    }
  }

  static int crc(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.duplicate());
    return (int) crc.getValue();
  }

  /** The failure as its caller should see it. */
  static StoreException failure(String what, IOException e) {
    if (e instanceof StoreException known) {
      return known;
    }
    String message = what + ": " + e.getMessage();
    String reason = String.valueOf(e.getMessage());
    if (reason.contains("No space left") || reason.contains("quota exceeded")) {
      return new StoreFullException(message + " (make room or move the store)", e);
    }
    if (e instanceof AccessDeniedException
        || reason.contains("Read-only file system")
        || e.getCause() instanceof ReadOnlyFileSystemException) {
      return new StoreReadOnlyException(
          message + " (the store lies where it cannot be written)", e);
    }
    return new StoreUnavailableException(message, e);
  }
}
