package io.deltabox.snapshot;

/**
 * What a sweep did.
 *
 * @param snapshots how many snapshots are there
 * @param chunksKept how many chunks something refers to
 * @param chunksRemoved how many nothing referred to
 * @param bytesRemoved stored bytes of those; the store gives the room back in time
 */
public record SweepReport(long snapshots, long chunksKept, long chunksRemoved, long bytesRemoved) {}
