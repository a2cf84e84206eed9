package io.deltabox.snapshot.refs;

import io.deltabox.store.Bytes;
import io.deltabox.store.CommitResult;
import io.deltabox.store.Durability;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.RecordRange;
import io.deltabox.store.RecordStore;
import io.deltabox.store.Space;
import io.deltabox.store.StoreException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The names of a store. A name is moved by compare-and-set: who moves it says what it was. The move
 * is a condition and a change for a {@link RecordBatch}, so that it can go into the commit that
 * makes its snapshot visible; the name never shows what is not there.
 *
 * <p>Names are stored as they are, not encrypted: they are keys. Thread-safe.
 */
public final class Names {
  /** The longest name, UTF-8 bytes. */
  public static final int NAME_BYTES_MAX = 512;

  private final RecordStore records;

  /**
   * @param records borrowed
   */
  public Names(RecordStore records) {
    this.records = records;
  }

  /** What became of a move that was committed by itself. */
  public sealed interface Outcome {
    /** It is done. */
    record Moved(Name name) implements Outcome {}

    /** Somebody else was faster and nothing was changed; this is what the name is now. */
    record Lost(Optional<Name> found) implements Outcome {}
  }

  public Optional<Name> find(String text) throws StoreException {
    Optional<Bytes> value = records.get(Space.REF, key(text));
    return value.isEmpty() ? Optional.empty() : Optional.of(NameRecord.read(text, value.get()));
  }

  /** All names that begin so, in order. */
  public List<Name> list(String prefix) throws StoreException {
    List<Name> names = new ArrayList<>();
    Bytes from = Bytes.of(prefix);
    RecordRange range = from.length() == 0 ? RecordRange.ALL : RecordRange.prefix(from);
    try (RecordStore.Cursor cursor = records.scan(Space.REF, range)) {
      while (cursor.next()) {
        names.add(NameRecord.read(cursor.key().text(), cursor.value()));
      }
    }
    return names;
  }

  /**
   * Adds a move to a batch. The batch is committed only if the name still is what it was; whoever
   * commits it hears of the conflict.
   *
   * @param known what the name is now, or null if it must not exist yet
   * @return what it is once the batch is committed
   */
  public Name move(RecordBatch into, String text, @Nullable Name known, UUID to) {
    expect(into, text, known);
    Name moved = new Name(text, to, known == null ? 1 : known.generation() + 1);
    into.put(Space.REF, key(text), NameRecord.write(moved));
    return moved;
  }

  /** Adds a removal to a batch, with the condition that the name still is what it was. */
  public void remove(RecordBatch into, Name known) {
    expect(into, known.text(), known);
    into.delete(Space.REF, key(known.text()));
  }

  /** The same as {@link #move(RecordBatch, String, Name, UUID)}, committed by itself. */
  public Outcome move(String text, @Nullable Name known, UUID to, Durability durability)
      throws StoreException {
    RecordBatch batch = new RecordBatch();
    Name moved = move(batch, text, known, to);
    CommitResult result = records.commit(batch, durability);
    return result.committed() ? new Outcome.Moved(moved) : new Outcome.Lost(find(text));
  }

  private static void expect(RecordBatch into, String text, @Nullable Name known) {
    if (known == null) {
      into.expectAbsent(Space.REF, key(text));
    } else if (known.text().equals(text)) {
      into.expect(Space.REF, key(text), NameRecord.write(known));
    } else {
      throw new IllegalArgumentException("another name: found=" + known + " expected=" + text);
    }
  }

  private static Bytes key(String text) {
    Bytes key = Bytes.of(text);
    if (key.length() == 0 || key.length() > NAME_BYTES_MAX) {
      throw new IllegalArgumentException(
          "name must have 1 to " + NAME_BYTES_MAX + " bytes: bytes=" + key.length());
    }
    return key;
  }
}
