package io.deltabox.snapshot.journal;

/**
 * What a look at a whole stream found.
 *
 * @param records whole ones from the first on
 * @param damage what is wrong with the record after those, with its sequence; empty if nothing is
 */
public record JournalCheck(long records, String damage) {
  /** True if all of the stream is as it was written. */
  public boolean whole() {
    return damage.isEmpty();
  }
}
