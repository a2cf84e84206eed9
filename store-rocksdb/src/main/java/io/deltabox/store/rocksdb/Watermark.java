package io.deltabox.store.rocksdb;

import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * A small file that says how much of the log is known to be durable.
 *
 * <p>After a crash the log is read up to the first entry that is not whole: behind the last sync
 * anything may be missing. Such an entry cannot be told from one that was promised and is damaged.
 * This file can tell: it is written after the sync and never before, so what it says was true; and
 * it is not synced itself, so it costs next to nothing. A kill leaves it exact, a loss of power
 * somewhat old.
 *
 * <pre>
 * file = magic:u32 crc32c(the rest):u32 number:u64 end of the log:u64      little-endian
 * </pre>
 *
 * <p>The 24 bytes lie within one sector, which is written whole. Used under a lock.
 */
final class Watermark implements AutoCloseable {
  private static final int MAGIC = 0x4d57_4244;
  private static final int BYTES = 24;
  private static final int ATTEMPTS = 3;

  private final Path file;
  private final DiskFile disk;

  private Watermark(Path file, DiskFile disk) {
    this.file = file;
    this.disk = disk;
  }

  /**
   * Empty if the store has never been whole: the file is not there, or was made and not written.
   */
  static Optional<Mark> read(Path file) throws StoreException {
    // Whoever reads beside a writer may see half of what that writes.
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      ByteBuffer bytes = content(file);
      if (!bytes.hasRemaining()) {
        return Optional.empty();
      }
      if (bytes.remaining() == BYTES
          && bytes.getInt() == MAGIC
          && bytes.getInt() == crc(bytes.slice())) {
        return Optional.of(new Mark(bytes.getLong(), Place.of(bytes.getLong())));
      }
    }
    throw new StoreCorruptException(
        "watermark is damaged: file=" + file + " (remove it to open the store without its check)");
  }

  private static ByteBuffer content(Path file) throws StoreException {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      while (bytes.hasRemaining() && channel.read(bytes) >= 0) {}
    } catch (NoSuchFileException e) {
      return bytes.limit(0);
    } catch (IOException e) {
      throw Failures.of("read watermark failed: file=" + file, e);
    }
    return bytes.flip();
  }

  /** Made if it is not there, unless only to be read. */
  static Watermark open(Path file, boolean readOnly) throws IOException {
    return new Watermark(file, readOnly ? DiskFile.open(file, false) : DiskFile.make(file));
  }

  void set(Mark mark) throws StoreException {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(8, mark.number()).putLong(16, mark.end().number());
    bytes.putInt(0, MAGIC).putInt(4, crc(bytes.slice(8, 16)));
    try {
      disk.write(bytes, 0);
    } catch (IOException e) {
      throw Failures.of("write watermark failed: file=" + file, e);
    }
  }

  void sync() throws StoreException {
    try {
      disk.force();
    } catch (IOException e) {
      throw Failures.of("make watermark durable failed: file=" + file, e);
    }
  }

  @Override
  public void close() throws IOException {
    disk.close();
  }

  private static int crc(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }
}
