package io.deltabox.capture.descriptors;

/** A working directory, root or program of a process; the key is zero when it cannot be seen. */
public record Place(String path, FileKey key, int mode) {}
