package io.deltabox.capture;

/**
 * A shared memory object (shared anonymous memory, memfd), however many processes map it.
 *
 * @param device number with the mark of its container, see {@link
 *     io.deltabox.capture.descriptors.Devices}
 * @param inode number on that device
 */
public record ObjectId(long device, long inode) {}
