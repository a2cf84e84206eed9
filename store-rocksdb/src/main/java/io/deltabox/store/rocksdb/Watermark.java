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
import java.util.OptionalLong;
import java.util.Set;
import java.util.zip.CRC32C;

/**
 * A small file with the number of the newest commit that is known to be durable.
 *
 * <p>After a crash the database replays its log up to the first record that is not whole, as it
 * must: behind the last sync anything may be missing. It cannot tell such a record from one that
 * was promised and is damaged. This file can: it is written after the sync and never before, so
 * what it says was true; and it is not synced itself, so it costs next to nothing. A kill leaves it
 * exact, a loss of power somewhat old.
 *
 * <pre>
 * file = magic:u32 crc32c(number):u32 number:u64      little-endian
 * </pre>
 *
 * <p>The 16 bytes lie within one sector, which is written whole. Used under a lock.
 */
final class Watermark implements AutoCloseable {
  private static final int MAGIC = 0x4d57_4244;
  private static final int BYTES = 16;
  private static final int ATTEMPTS = 3;

  private final Path file;
  private final FileChannel channel;

  private Watermark(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Empty if the store has never been whole: the file is not there, or was made and not written.
   */
  static OptionalLong read(Path file) throws StoreException {
    // Whoever reads beside a writer may see half of what that writes.
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      ByteBuffer bytes = content(file);
      if (!bytes.hasRemaining()) {
        return OptionalLong.empty();
      }
      if (bytes.remaining() == BYTES
          && bytes.getInt() == MAGIC
          && bytes.getInt() == crc(bytes.slice())) {
        return OptionalLong.of(bytes.getLong());
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
    Set<StandardOpenOption> options =
        readOnly
            ? Set.of(StandardOpenOption.READ)
            : Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    return new Watermark(file, FileChannel.open(file, options));
  }

  void set(long number) throws StoreException {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(8, number);
    bytes.putInt(0, MAGIC).putInt(4, crc(bytes.slice(8, 8)));
    try {
      for (long at = 0; bytes.hasRemaining(); ) {
        at += channel.write(bytes, at);
      }
    } catch (IOException e) {
      throw Failures.of("write watermark failed: file=" + file, e);
    }
  }

  void sync() throws StoreException {
    try {
      channel.force(true);
    } catch (IOException e) {
      throw Failures.of("make watermark durable failed: file=" + file, e);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private static int crc(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }
}
