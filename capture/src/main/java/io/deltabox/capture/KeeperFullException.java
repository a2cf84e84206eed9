package io.deltabox.capture;

/** Memory set aside for snapshots is used up; nothing was dropped. */
public final class KeeperFullException extends CaptureException {
  private static final long serialVersionUID = 1L;

  KeeperFullException(long bytesMax) {
    this(bytesMax, "");
  }

  KeeperFullException(long bytesMax, String wayOut) {
    super("keep snapshot failed: memory for snapshots is full: limit_bytes=" + bytesMax + wayOut);
  }
}
