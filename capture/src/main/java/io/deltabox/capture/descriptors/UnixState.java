package io.deltabox.capture.descriptors;

/**
 * What the kernel's list says of a unix socket.
 *
 * @param peer inode number of the other end; 0 none
 * @param node inode number of its name in the file system; 0 none
 * @param waiting connections nobody has accepted yet, of a listening one
 * @param backlog of a listening one
 * @param state 1 connected, 7 not, 10 listening
 * @param shutdown which directions are shut: 1 receiving, 2 sending
 */
record UnixState(long peer, long node, int waiting, int backlog, int state, int shutdown) {
  static final UnixState UNKNOWN = new UnixState(0, 0, 0, 0, 7, 0);
}
