package io.deltabox.store.local;

import io.deltabox.store.Bytes;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.RecordStore;
import io.deltabox.store.Space;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreUnavailableException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * All changes of records in the order of their commits, in a file that only grows.
 *
 * <p>A file {@code head} says which log counts and how much of it: two slots of {number,
 * generation, length, CRC32C}, written in turn, so that one is whole whenever power goes. What lies
 * within that length must be sound, so damage there is told. Whole frames behind it are commits
 * whose slot was lost or damaged, and count; the rest is a torn end and is cut off.
 *
 * <p>A log is frames of {length, CRC32C over generation, offset and changes, changes}; a change is
 * {space u8, kind u8, key length u16, value length u32, key, value}. All little-endian. Used by one
 * thread at a time.
 */
final class RecordLog implements AutoCloseable {
  private static final int SLOT_BYTES = 32;
  private static final int SLOT_DISTANCE = 4096;
  private static final int FRAME_HEAD_BYTES = 8;
  private static final int CHANGE_HEAD_BYTES = 8;
  private static final long REWRITE_BYTES = 1 << 20;
  private static final int FRAME_BYTES_MAX = RecordStore.BATCH_BYTES_MAX + (64 << 20);
  private static final int REWRITE_FRAME_BYTES = 8 << 20;

  private final Path directory;
  private final boolean readOnly;
  private final RecordTable table;
  private final FileChannel head;
  private FileChannel log;
  private long generation;
  private long length;
  private long written;
  private boolean broken;

  private RecordLog(Path directory, boolean readOnly, RecordTable table) throws IOException {
    this.directory = directory;
    this.readOnly = readOnly;
    this.table = table;
    Path file = directory.resolve("head");
    this.head =
        readOnly
            ? FileChannel.open(file, StandardOpenOption.READ)
            : FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      readHead();
      this.log = openLog(generation);
    } catch (IOException e) {
      head.close();
      throw e;
    }
  }

  /** Opens the log of a directory and fills a table with what it says. */
  static RecordLog open(Path directory, boolean readOnly, RecordTable table) throws IOException {
    RecordLog log = new RecordLog(directory, readOnly, table);
    try {
      log.replay();
      if (!readOnly) {
        log.log.truncate(log.length);
        if (log.length > 2 * table.bytes() + REWRITE_BYTES) {
          log.rewrite();
        }
        log.removeOthers();
      }
      return log;
    } catch (IOException e) {
      log.close();
      throw e;
    }
  }

  private Path file(long number) {
    return directory.resolve("log-" + number);
  }

  private FileChannel openLog(long number) throws IOException {
    if (readOnly && number == 0 && !Files.exists(file(0))) {
      // Made and never written to.
      return FileChannel.open(directory.resolve("head"), StandardOpenOption.READ);
    }
    return readOnly
        ? FileChannel.open(file(number), StandardOpenOption.READ)
        : FileChannel.open(
            file(number),
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
  }

  private void readHead() throws IOException {
    if (head.size() == 0) {
      return;
    }
    boolean found = false;
    for (int slot = 0; slot < 2; slot++) {
      ByteBuffer bytes = buffer(SLOT_BYTES);
      Disk.readFully(head, (long) slot * SLOT_DISTANCE, bytes);
      bytes.flip();
      if (bytes.remaining() < SLOT_BYTES || Disk.crc(bytes.slice(0, 24)) != bytes.getInt(24)) {
        continue;
      }
      if (!found || bytes.getLong(0) > written) {
        written = bytes.getLong(0);
        generation = bytes.getLong(8);
        length = bytes.getLong(16);
      }
      found = true;
    }
    if (!found) {
      throw new StoreCorruptException("no slot of the head is sound: directory=" + directory);
    }
  }

  private void writeHead(long newGeneration, long newLength) throws IOException {
    ByteBuffer bytes = buffer(SLOT_BYTES);
    bytes.putLong(written + 1).putLong(newGeneration).putLong(newLength);
    bytes.putInt(Disk.crc(bytes.duplicate().flip())).putInt(0).flip();
    long at = (written + 1) % 2 * SLOT_DISTANCE;
    while (bytes.hasRemaining()) {
      at += head.write(bytes, at);
    }
    head.force(true);
    written++;
    generation = newGeneration;
    length = newLength;
  }

  private void replay() throws IOException {
    if (log.size() < length) {
      throw damaged("cut", log.size());
    }
    long end = log.size();
    for (long at = 0; at < end; ) {
      ByteBuffer frame = frame(at, at < length ? length : end);
      if (frame == null) {
        if (at < length) {
          throw damaged("damaged", at);
        }
        return;
      }
      table.apply(changes(frame, at));
      at += FRAME_HEAD_BYTES + frame.capacity();
      length = Math.max(length, at);
    }
  }

  /** Reads everything again and compares checksums. */
  void verify() throws IOException {
    for (long at = 0; at < length; ) {
      ByteBuffer frame = frame(at, length);
      if (frame == null) {
        throw damaged("damaged", at);
      }
      at += FRAME_HEAD_BYTES + frame.capacity();
    }
  }

  private StoreCorruptException damaged(String how, long at) {
    return new StoreCorruptException(
        "log of records is "
            + how
            + ": file="
            + file(generation)
            + " offset="
            + at
            + " length="
            + length);
  }

  /** The changes of the frame at an offset; null if there is no sound one before the end. */
  private @Nullable ByteBuffer frame(long at, long end) throws IOException {
    ByteBuffer first = buffer(FRAME_HEAD_BYTES);
    Disk.readFully(log, at, first);
    int bytes = first.getInt(0);
    if (first.hasRemaining()
        || bytes < 0
        || bytes > FRAME_BYTES_MAX
        || bytes > end - at - FRAME_HEAD_BYTES) {
      return null;
    }
    ByteBuffer frame = buffer(bytes);
    Disk.readFully(log, at + FRAME_HEAD_BYTES, frame);
    frame.flip();
    boolean sound = frame.remaining() == bytes && crc(generation, at, frame) == first.getInt(4);
    return sound ? frame : null;
  }

  /** Bound to its place, so that no frame is taken for another. */
  private static int crc(long generation, long at, ByteBuffer changes) {
    CRC32C crc = new CRC32C();
    crc.update(buffer(16).putLong(generation).putLong(at).flip());
    crc.update(changes.duplicate());
    return (int) crc.getValue();
  }

  private List<RecordBatch.Change> changes(ByteBuffer frame, long at) throws IOException {
    List<RecordBatch.Change> changes = new ArrayList<>();
    while (frame.remaining() >= CHANGE_HEAD_BYTES) {
      Optional<Space> space = Space.of(frame.get());
      int kind = frame.get();
      int keyBytes = Short.toUnsignedInt(frame.getShort());
      int valueBytes = frame.getInt();
      if (space.isEmpty() || valueBytes < 0 || keyBytes + (long) valueBytes > frame.remaining()) {
        throw damaged("not understood", at);
      }
      Bytes key = take(frame, keyBytes);
      Bytes value = take(frame, valueBytes);
      changes.add(new RecordBatch.Change(space.get(), key, kind == 1 ? value : null));
    }
    return changes;
  }

  private static Bytes take(ByteBuffer from, int bytes) {
    Bytes taken = Bytes.of(from.slice(from.position(), bytes));
    from.position(from.position() + bytes);
    return taken;
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Makes changes durable, all or none. When this fails, none of them will be seen after the next
   * opening, or the log refuses everything from then on.
   */
  void append(List<RecordBatch.Change> changes) throws IOException {
    if (broken) {
      throw new StoreUnavailableException(
          "log of records could not be written before, open the store again: directory="
              + directory);
    }
    if (changes.isEmpty()) {
      return;
    }
    long end = length;
    try {
      end = write(log, generation, end, changes);
      log.force(true);
    } catch (IOException e) {
      takeBack();
      throw Disk.failure("write log of records failed: file=" + file(generation), e);
    }
    try {
      writeHead(generation, end);
    } catch (IOException e) {
      broken = true;
      throw Disk.failure("write head of records failed: directory=" + directory, e);
    }
  }

  /** What was not promised must not be found by the next opening. */
  private void takeBack() {
    try {
      log.truncate(length);
    } catch (IOException e) {
      broken = true;
    }
  }

  private static long write(
      FileChannel to, long generation, long at, List<RecordBatch.Change> changes)
      throws IOException {
    int bytes = 0;
    for (RecordBatch.Change change : changes) {
      bytes += changeBytes(change);
    }
    ByteBuffer frame = buffer(FRAME_HEAD_BYTES + bytes);
    frame.position(FRAME_HEAD_BYTES);
    for (RecordBatch.Change change : changes) {
      Bytes value = change.value();
      frame.put((byte) change.space().number()).put((byte) (value == null ? 0 : 1));
      frame.putShort((short) change.key().length()).putInt(value == null ? 0 : value.length());
      frame.put(change.key().buffer());
      if (value != null) {
        frame.put(value.buffer());
      }
    }
    frame.putInt(0, bytes).putInt(4, crc(generation, at, frame.slice(FRAME_HEAD_BYTES, bytes)));
    frame.flip();
    long end = at;
    while (frame.hasRemaining()) {
      end += to.write(frame, end);
    }
    return end;
  }

  private static int changeBytes(RecordBatch.Change change) {
    Bytes value = change.value();
    return CHANGE_HEAD_BYTES + change.key().length() + (value == null ? 0 : value.length());
  }

  /** Begins a new log with what is there now; the old one counts until the head says otherwise. */
  private void rewrite() throws IOException {
    long next = generation + 1;
    FileChannel fresh = openLog(next);
    try {
      fresh.truncate(0);
      long end = 0;
      List<RecordBatch.Change> some = new ArrayList<>();
      long bytes = 0;
      for (RecordBatch.Change change : table.all()) {
        some.add(change);
        bytes += changeBytes(change);
        if (bytes > REWRITE_FRAME_BYTES) {
          end = write(fresh, next, end, some);
          some.clear();
          bytes = 0;
        }
      }
      end = some.isEmpty() ? end : write(fresh, next, end, some);
      fresh.force(true);
      Disk.syncDirectory(directory);
      writeHead(next, end);
    } catch (IOException e) {
      fresh.close();
      throw e;
    }
    log.close();
    log = fresh;
  }

  private void removeOthers() throws IOException {
    try (var files = Files.newDirectoryStream(directory, "log-*")) {
      for (Path file : files) {
        if (!file.equals(file(generation))) {
          Files.delete(file);
        }
      }
    }
    Disk.syncDirectory(directory);
  }

  long bytes() {
    return length;
  }

  @Override
  public void close() throws StoreException {
    FileChannel current = log;
    broken = true;
    try (head;
        current) {
      // Both are closed, whatever becomes of one.
    } catch (IOException e) {
      throw Disk.failure("close log of records failed: directory=" + directory, e);
    }
  }
}
