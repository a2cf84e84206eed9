package io.deltabox.store.rocksdb;

import io.deltabox.store.Bytes;
import io.deltabox.store.RecordBatch;
import io.deltabox.store.Space;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The changes of a commit as the log holds them.
 *
 * <pre>
 * commit = change*
 * change = space:u8 put:u8 key bytes:u16 value bytes:u32 key value      little-endian; put: 0 or 1
 * </pre>
 */
final class CommitForm {
  private static final int CHANGE_BYTES = 8;

  private CommitForm() {}

  static ByteBuffer encode(List<RecordBatch.Change> changes) {
    int bytes = 0;
    for (RecordBatch.Change change : changes) {
      Bytes value = change.value();
      bytes += CHANGE_BYTES + change.key().length() + (value == null ? 0 : value.length());
    }
    ByteBuffer form = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (RecordBatch.Change change : changes) {
      Bytes value = change.value();
      form.put((byte) change.space().number()).put((byte) (value == null ? 0 : 1));
      form.putShort((short) change.key().length());
      form.putInt(value == null ? 0 : value.length()).put(change.key().buffer());
      if (value != null) {
        form.put(value.buffer());
      }
    }
    return form.flip();
  }

  /** Null if it is no such form. */
  static @Nullable List<RecordBatch.Change> decode(ByteBuffer body) {
    ByteBuffer form = body.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    List<RecordBatch.Change> changes = new ArrayList<>();
    try {
      while (form.hasRemaining()) {
        Space space = Space.of(form.get()).orElse(null);
        boolean put = form.get() != 0;
        int keyBytes = Short.toUnsignedInt(form.getShort());
        int valueBytes = form.getInt();
        if (space == null || valueBytes < 0) {
          return null;
        }
        Bytes key = take(form, keyBytes);
        changes.add(new RecordBatch.Change(space, key, put ? take(form, valueBytes) : null));
      }
    } catch (BufferUnderflowException | IndexOutOfBoundsException e) {
      return null;
    }
    return changes;
  }

  private static Bytes take(ByteBuffer form, int length) {
    Bytes taken = Bytes.of(form.slice(form.position(), length));
    form.position(form.position() + length);
    return taken;
  }
}
