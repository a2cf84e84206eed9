package io.deltabox.capture.descriptors;

import org.jspecify.annotations.Nullable;

/** Keeps the ends of connections inside the sandbox together: both stay or both are made. */
final class SocketPairs {
  private SocketPairs() {}

  /**
   * Gives up every living end whose other end does not live on; it may have been held by a process
   * that has been ended since the scan.
   */
  static void review(Run run, Matching matching) {
    for (OpenFile target : run.target().files()) {
      SocketState wanted = target.kind() == FileKind.SOCKET ? run.target().socket(target) : null;
      if (wanted == null || matching.current(target) == null) {
        continue;
      }
      OpenFile peer = peer(run.target(), wanted);
      if (peer != null && matching.current(peer) == null) {
        matching.giveUp(target);
      }
    }
  }

  /** The other end, if it is in the table. */
  static @Nullable OpenFile peer(DescriptorTable table, SocketState end) {
    if (end.isConnectedTcp()) {
      return SocketRules.tcpPeer(table, end);
    }
    if (!end.isUnix() || end.peers().peer() == 0) {
      return null;
    }
    for (OpenFile file : table.files()) {
      if (file.kind() == FileKind.SOCKET && file.key().ino() == end.peers().peer()) {
        return file;
      }
    }
    return null;
  }
}
