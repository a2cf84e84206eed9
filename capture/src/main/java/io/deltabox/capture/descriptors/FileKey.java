package io.deltabox.capture.descriptors;

/**
 * Identity of a file, pipe or socket.
 *
 * @param dev device number with the mark of its container, see {@link Devices}
 * @param ino inode number
 */
public record FileKey(long dev, long ino) {}
