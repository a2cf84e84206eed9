package io.deltabox.snapshot.journal;

import io.deltabox.snapshot.journal.JournalFormat.Head;
import io.deltabox.store.Bytes;
import io.deltabox.store.Durability;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.RecordRange;
import io.deltabox.store.RecordStore;
import io.deltabox.store.Space;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A stream of records of which each names the one before by its hash, so that none can be changed,
 * left out or put in between unnoticed. Appends go into a batch, with the condition that nobody
 * else appended meanwhile. Thread-safe.
 *
 * <p>The hashes tell of damage and of changes by those who cannot recompute them; against others
 * the content is protected by the seal, if there is one. Cutting the end off and putting an earlier
 * head in its place cannot be seen from the stream alone.
 */
public final class Journal {
  /** The longest name of a stream, UTF-8 bytes. */
  public static final int STREAM_BYTES_MAX = 512;

  private final RecordStore records;
  private final String stream;
  private final Seal seal;

  /**
   * @param records borrowed
   */
  public Journal(RecordStore records, String stream, Seal seal) {
    int bytes = Bytes.of(stream).length();
    if (bytes == 0 || bytes > STREAM_BYTES_MAX) {
      throw new IllegalArgumentException("stream name of impossible length: bytes=" + bytes);
    }
    this.records = records;
    this.stream = stream;
    this.seal = seal;
  }

  /** Takes records in order. */
  @FunctionalInterface
  public interface Visitor {
    void record(JournalRecord record) throws StoreException;
  }

  /** The names of all streams of a store, in order. */
  public static List<String> streams(RecordStore records) throws StoreException {
    List<String> streams = new ArrayList<>();
    try (RecordStore.Cursor cursor = records.scan(Space.JOURNAL, RecordRange.ALL)) {
      while (cursor.next()) {
        String stream = JournalFormat.streamOfHead(cursor.key());
        if (stream != null) {
          streams.add(stream);
        }
      }
    }
    return streams;
  }

  /**
   * Adds entries to a batch, at the end of the stream as it is now. The batch is committed only if
   * it still ends there; whoever commits it hears of the conflict.
   *
   * @param entries at least one
   */
  public void append(RecordBatch into, List<JournalEntry> entries) throws StoreException {
    if (entries.isEmpty()) {
      throw new IllegalArgumentException("nothing to append");
    }
    Bytes headKey = JournalFormat.headKey(stream);
    Optional<Bytes> found = records.get(Space.JOURNAL, headKey);
    Head head;
    if (found.isEmpty()) {
      head = Head.EMPTY;
      into.expectAbsent(Space.JOURNAL, headKey);
    } else {
      head = JournalFormat.readHead(stream, found.get());
      into.expect(Space.JOURNAL, headKey, found.get());
    }
    for (JournalEntry entry : entries) {
      Bytes key = JournalFormat.recordKey(stream, head.records());
      Bytes value = JournalFormat.write(stream, head.records(), head.last(), entry, seal);
      into.put(Space.JOURNAL, key, value);
      head = new Head(head.records() + 1, JournalFormat.hash(key, value));
    }
    into.put(Space.JOURNAL, headKey, JournalFormat.write(head));
  }

  /** Appends and commits entries, after whatever others append meanwhile. */
  public void append(List<JournalEntry> entries, Durability durability) throws StoreException {
    RecordBatch batch;
    do {
      // Each lost race means that somebody else's append was committed.
      batch = new RecordBatch();
      append(batch, entries);
    } while (!records.commit(batch, durability).committed());
  }

  /** How many records it has. */
  public long size() throws StoreException {
    Optional<Bytes> found = records.get(Space.JOURNAL, JournalFormat.headKey(stream));
    return found.isEmpty() ? 0 : JournalFormat.readHead(stream, found.get()).records();
  }

  /**
   * Gives all records in order.
   *
   * @throws StoreCorruptException naming the first that is not as it was written, after those
   *     before it were given
   */
  public void read(Visitor to) throws StoreException {
    walk(to);
  }

  /** Looks at the whole stream. */
  public JournalCheck verify() throws StoreException {
    long[] whole = new long[1];
    try {
      walk(record -> whole[0]++);
      return new JournalCheck(whole[0], "");
    } catch (StoreCorruptException e) {
      return new JournalCheck(whole[0], String.valueOf(e.getMessage()));
    }
  }

  /** The head is the first record of the range. */
  private void walk(Visitor to) throws StoreException {
    Bytes headKey = JournalFormat.headKey(stream);
    Head at = Head.EMPTY;
    Bytes head = null;
    try (RecordStore.Cursor cursor = records.scan(Space.JOURNAL, RecordRange.prefix(headKey))) {
      while (cursor.next()) {
        Bytes key = cursor.key();
        if (key.equals(headKey)) {
          head = cursor.value();
        } else if (key.length() == headKey.length() + 8) {
          at = next(at, key, cursor.value(), to);
        }
      }
    }
    checkEnd(at, head);
  }

  private Head next(Head at, Bytes key, Bytes value, Visitor to) throws StoreException {
    if (!key.equals(JournalFormat.recordKey(stream, at.records()))) {
      throw JournalFormat.damaged(
          JournalFormat.what(stream, at.records()),
          "it is missing: found=" + key.buffer().getLong(key.length() - 8));
    }
    ByteBuffer sealed = JournalFormat.readLinked(stream, at.records(), at.last(), value);
    to.record(JournalFormat.readContent(stream, at.records(), sealed, seal));
    return new Head(at.records() + 1, JournalFormat.hash(key, value));
  }

  private void checkEnd(Head at, @Nullable Bytes value) throws StoreException {
    Head head = value == null ? Head.EMPTY : JournalFormat.readHead(stream, value);
    if (at.records() < head.records()) {
      throw JournalFormat.damaged(
          JournalFormat.what(stream, at.records()),
          "it is missing: records=" + head.records() + " found=" + at.records());
    }
    if (at.records() > head.records() || !at.last().equals(head.last())) {
      throw JournalFormat.damaged(
          JournalFormat.what(stream, Math.max(0, at.records() - 1)),
          "it is not the one that was appended last: records="
              + head.records()
              + " found="
              + at.records());
    }
  }
}
