package io.deltabox.snapshot.journal;

/**
 * An entry at its place in a stream.
 *
 * @param sequence 0 for the first, then one more each
 */
public record JournalRecord(long sequence, JournalEntry entry) {}
