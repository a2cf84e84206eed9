package io.deltabox.capture.files;

import java.io.IOException;
import java.util.List;

/**
 * What living processes hold of files: descriptors, working directories, mappings.
 *
 * @param files each held inode once or more, as stat(2) through {@code /proc/PID/...} tells it
 */
public record LiveHolders(List<Holder> files) {
  /**
   * One held inode.
   *
   * @param device device number the holder sees
   * @param inode inode number
   * @param deleted whether its name is gone
   * @param directory whether it is a directory
   * @param writable whether it is open for writing, or mapped shared and writable: it may have
   *     changed without an event
   */
  public record Holder(
      long device, long inode, boolean deleted, boolean directory, boolean writable) {}

  /** Reads them when they are asked for; that costs tens of microseconds a process. */
  @FunctionalInterface
  public interface Source {
    LiveHolders read() throws IOException;
  }

  public LiveHolders {
    files = List.copyOf(files);
  }

  /** Nobody holds anything. */
  public static LiveHolders none() {
    return new LiveHolders(List.of());
  }
}
