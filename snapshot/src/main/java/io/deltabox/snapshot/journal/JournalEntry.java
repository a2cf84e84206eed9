package io.deltabox.snapshot.journal;

import io.deltabox.store.Bytes;
import java.time.Instant;

/**
 * Something that was done.
 *
 * @param time when, to the nanosecond
 * @param actor who
 * @param kind what sort of thing, such as {@code checkpoint}
 * @param body the rest, in the form of that kind
 */
public record JournalEntry(Instant time, String actor, String kind, Bytes body) {
  /** The longest actor or kind, UTF-8 bytes. */
  public static final int WORD_BYTES_MAX = 1024;

  /** The longest body. */
  public static final int BODY_BYTES_MAX = 16 << 20;

  public JournalEntry {
    check("actor", Bytes.of(actor).length(), WORD_BYTES_MAX);
    check("kind", Bytes.of(kind).length(), WORD_BYTES_MAX);
    check("body", body.length(), BODY_BYTES_MAX);
  }

  private static void check(String what, int bytes, int most) {
    if (bytes > most) {
      throw new IllegalArgumentException(
          what + " of a journal entry is too long: bytes=" + bytes + " most=" + most);
    }
  }
}
