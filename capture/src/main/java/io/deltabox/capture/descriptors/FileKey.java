package io.deltabox.capture.descriptors;

/** Identity of a file, pipe or socket: device and inode number. */
public record FileKey(long dev, long ino) {}
