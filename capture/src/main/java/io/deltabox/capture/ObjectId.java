package io.deltabox.capture;

/**
 * A shared memory object (shared anonymous memory, memfd), however many processes map it.
 *
 * @param device major number in the upper half, minor in the lower
 * @param inode number on that device
 */
public record ObjectId(long device, long inode) {}
